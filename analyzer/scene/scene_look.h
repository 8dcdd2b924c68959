#pragma once
#include <optional>

#include <opencv2/core.hpp>

#include "common/base/clock.h"

namespace gopline::analyzer {

struct SceneLimits {
  double dark = 32;       // luma up to which a pixel is black
  double flat = 0.9;      // share of the picture without any texture from which it is covered
  double blur = 0.4;      // share of the usual sharpness below which it is out of focus
  double likeness = 0.4;  // of edges to the usual ones, below which the camera has moved
  double still = 1;       // change of a pixel that is none
  Duration memory = std::chrono::seconds(30);
};

// What there is to say of a picture. What is told against the pictures before is missing where there is
// nothing to be compared: in one that is black or covered, and in the first.
struct SceneMeasures {
  double dark_share = 0;
  double flat_share = 0;
  std::optional<double> sharpness;  // of the usual one
  std::optional<double> likeness;   // of edges: 1: where they usually are, 0: anywhere
  bool is_black = false, is_covered = false, is_same = false;
};

// Looks at pictures of one camera, and remembers what it usually sees: each picture counts by how long ago it
// is. A picture that is black or covered is not remembered, so that the view behind a hand is still known
// when the hand goes. Not thread-safe. Throws cv::Exception.
class SceneLook {
 public:
  explicit SceneLook(SceneLimits limits) : limits_(limits) {}
  SceneMeasures measure(const cv::Mat& gray, Timestamp time);

 private:
  bool is_still(const cv::Mat& gray);
  void compare(const cv::Mat& gray, Timestamp time, SceneMeasures& measures);
  cv::Mat edges_of(const cv::Mat& gray);

  const SceneLimits limits_;
  cv::Mat anchor_, change_, edges_, smooth_;
  double sharpness_ = 0;
  Timestamp newest_{};
};

}  // namespace gopline::analyzer
