#include "analyzer/people/hog_window.h"

#include <algorithm>
#include <cmath>

#include "analyzer/sighting.h"

namespace gopline::analyzer {
namespace {

// The distances of people in pictures are between 0 and 2: these become 0.5 to 0.98.
constexpr double kSteepness = 2;

// Of the window, on each side.
constexpr double kMarginX = 16.0 / kHogWindowWidth, kMarginY = 16.0 / kHogWindowHeight;

}  // namespace

int hog_picture_height(double smallest) {
  return static_cast<int>(std::lround(kHogPersonHeight / smallest));
}

int hog_levels(double smallest, double largest, double step) {
  // A size that is missed by a rounding error counts.
  auto steps = std::log(std::max(largest / smallest, 1.0)) / std::log(step);
  return 1 + static_cast<int>(std::floor(steps + 1e-9));
}

double hog_score(double distance) {
  return 1 / (1 + std::exp(-kSteepness * distance));
}

double hog_distance(double score) {
  return std::log(score / (1 - score)) / kSteepness;
}

record::PictureBox person_in(const HogWindow& window, int picture_width, int picture_height) {
  auto left = window.x + kMarginX * window.width, right = window.x + (1 - kMarginX) * window.width;
  auto top = window.y + kMarginY * window.height, bottom = window.y + (1 - kMarginY) * window.height;
  return box_between(left / picture_width, top / picture_height, right / picture_width,
                     bottom / picture_height);
}

}  // namespace gopline::analyzer
