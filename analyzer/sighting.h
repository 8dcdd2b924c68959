#pragma once
#include <string>

#include "common/record/detection.h"

namespace gopline::analyzer {

// Something that a detector sees in one picture.
struct Sighting {
  std::string class_name;
  double score = 0;
  record::PictureBox box;
};

// What two boxes share, of what they cover together: 0 to 1.
double overlap(const record::PictureBox& a, const record::PictureBox& b);

}  // namespace gopline::analyzer
