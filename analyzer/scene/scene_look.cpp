#include "analyzer/scene/scene_look.h"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace gopline::analyzer {
namespace {

constexpr double kBlackShare = 0.98;
constexpr int kBlock = 16;           // pixels
constexpr double kTexture = 4;       // standard deviation of a block that shows something
constexpr double kMuch = 20;         // change of a pixel that no encoder makes
constexpr double kFewPixels = 2e-4;  // of the picture
constexpr double kLeastSharpness = 1e-6;

double flat_share_of(const cv::Mat& gray) {
  int blocks = 0, flat = 0;
  cv::Scalar mean, deviation;
  for (int y = 0; y + kBlock <= gray.rows; y += kBlock) {
    for (int x = 0; x + kBlock <= gray.cols; x += kBlock) {
      cv::meanStdDev(gray(cv::Rect(x, y, kBlock, kBlock)), mean, deviation);
      ++blocks;
      if (deviation[0] < kTexture) ++flat;
    }
  }
  return blocks == 0 ? 0 : static_cast<double>(flat) / blocks;
}

// Pearson's: brighter or darker as a whole is no difference.
double correlation(const cv::Mat& a, const cv::Mat& b) {
  cv::Scalar mean_a, mean_b, deviation_a, deviation_b;
  cv::meanStdDev(a, mean_a, deviation_a);
  cv::meanStdDev(b, mean_b, deviation_b);
  auto spread = deviation_a[0] * deviation_b[0];
  if (spread < kLeastSharpness) return 0;
  return (a.dot(b) / static_cast<double>(a.total()) - mean_a[0] * mean_b[0]) / spread;
}

}  // namespace

SceneMeasures SceneLook::measure(const cv::Mat& gray, Timestamp time) {
  SceneMeasures measures;
  auto pixels = static_cast<double>(gray.total());
  measures.dark_share = 1 - cv::countNonZero(gray > limits_.dark) / pixels;
  measures.flat_share = flat_share_of(gray);
  measures.is_black = measures.dark_share >= kBlackShare;
  measures.is_covered = !measures.is_black && measures.flat_share >= limits_.flat;
  // Against the picture at which it stopped, so that slow change is change.
  bool is_same = anchor_.size() == gray.size() && is_still(gray);
  if (!is_same) gray.copyTo(anchor_);
  measures.is_same = is_same && !measures.is_black && !measures.is_covered;  // one trouble is enough
  if (!measures.is_black && !measures.is_covered) compare(gray, time, measures);
  return measures;
}

// A picture that is encoded again is never quite the same, but differs a little everywhere and nowhere much.
bool SceneLook::is_still(const cv::Mat& gray) {
  cv::absdiff(gray, anchor_, change_);
  return cv::mean(change_)[0] <= limits_.still &&
         cv::countNonZero(change_ > kMuch) <= kFewPixels * static_cast<double>(gray.total());
}

void SceneLook::compare(const cv::Mat& gray, Timestamp time, SceneMeasures& measures) {
  auto edges = edges_of(gray);
  auto sharpness = cv::mean(edges)[0];
  // What is compared is where edges are, roughly: wind and noise move them a little.
  cv::GaussianBlur(edges, smooth_, {9, 9}, 0);
  if (edges_.size() != smooth_.size()) {
    smooth_.copyTo(edges_);
    sharpness_ = sharpness;
    newest_ = time;
    return;
  }
  measures.sharpness = sharpness / std::max(sharpness_, kLeastSharpness);
  measures.likeness = correlation(smooth_, edges_);
  auto passed = std::max(time - newest_, Duration(1));
  auto rate =
      1 - std::exp(-static_cast<double>(passed.count()) / static_cast<double>(limits_.memory.count()));
  cv::accumulateWeighted(smooth_, edges_, rate);
  sharpness_ += rate * (sharpness - sharpness_);
  newest_ = time;
}

cv::Mat SceneLook::edges_of(const cv::Mat& gray) {
  cv::Mat calm, laplacian;
  cv::GaussianBlur(gray, calm, {3, 3}, 0);  // noise is sharp, too
  cv::Laplacian(calm, laplacian, CV_32F);
  return cv::abs(laplacian);
}

}  // namespace gopline::analyzer
