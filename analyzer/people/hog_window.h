#pragma once
#include "common/record/detection.h"

// What OpenCV's people detector looks at (Dalal and Triggs 2005, learnt from the INRIA pictures): windows of
// 64x128 pixels, in the middle of which a person is 96 pixels high, with 16 pixels around him.
namespace gopline::analyzer {

inline constexpr int kHogWindowWidth = 64, kHogWindowHeight = 128, kHogPersonHeight = 96;

// The height of a picture in which somebody who is `smallest` of it high just fills his window.
int hog_picture_height(double smallest);

// How many sizes are looked at, each `step` times the one before, from there to people who are `largest` of
// the picture high.
int hog_levels(double smallest, double largest, double step);

// The distance from the plane that parts people from the rest, as a score: 0.5 on it, 1 far on people's side.
double hog_score(double distance);
double hog_distance(double score);  // its inverse, of 0 < score < 1

// The box of the person in a window, all in pixels of a picture.
struct HogWindow {
  double x = 0, y = 0, width = 0, height = 0;
};
record::PictureBox person_in(const HogWindow& window, int picture_width, int picture_height);

}  // namespace gopline::analyzer
