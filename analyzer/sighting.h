#pragma once
#include <string>
#include <vector>

#include "common/record/detection.h"

namespace gopline::analyzer {

// Something that a detector sees in one picture.
struct Sighting {
  std::string class_name;
  double score = 0;
  record::PictureBox box;
};

// A box by its edges, in fractions of the picture; what leaves that is cut off. As many digits as a pixel is
// worth.
record::PictureBox box_between(double left, double top, double right, double bottom);

// What two boxes share, of what they cover together: 0 to 1.
double overlap(const record::PictureBox& a, const record::PictureBox& b);

// Of those of one class that overlap by more than `most_overlap` the one with the best score; in the order of
// scores.
std::vector<Sighting> best_of(std::vector<Sighting> sightings, double most_overlap);

}  // namespace gopline::analyzer
