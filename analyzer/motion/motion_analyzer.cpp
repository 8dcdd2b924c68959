#include "analyzer/motion/motion_analyzer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <opencv2/imgproc.hpp>
#include <opencv2/video/background_segm.hpp>

#include "analyzer/watch.h"
#include "analyzer/zones.h"

namespace gopline::analyzer {
namespace {

struct MotionOptions {
  double threshold = 16;    // squared distance, in variances, from which a pixel is foreground
  double min_area = 0.002;  // of the picture
  Duration memory = std::chrono::seconds(10);
  Duration learn = std::chrono::seconds(1);
  WatchOptions watch;
  std::vector<Zone> zones;
};

struct Seen {
  double share = 0;  // of the zone that moves
  std::optional<cv::Rect> box;
};

class MotionAnalyzer final : public Analyzer {
 public:
  explicit MotionAnalyzer(const MotionOptions& options) : options_(options) {
    for (std::size_t i = 0; i < options_.zones.size(); ++i) watches_.emplace_back(options_.watch);
  }

  Result<void> take(const Frame& frame, FindingSink& sink) override {
    try {
      look(frame, sink);
    } catch (const cv::Exception& error) {
      return fail(ErrorCode::kInternal, "motion: OpenCV: {}", error.what());
    }
    return {};
  }

  Result<void> finish(FindingSink& sink) override {
    for (std::size_t i = 0; i < watches_.size(); ++i) {
      if (watches_[i].is_open()) sink.tell(finding(i, record::EventPhase::kEnd, {}));
    }
    return {};
  }

 private:
  void look(const Frame& frame, FindingSink& sink) {
    auto plane = frame.picture.plane(0);
    // A view of what the decoder wrote; nobody writes to it.
    cv::Mat gray(frame.picture.height(), frame.picture.width(), CV_8UC1,
                 const_cast<std::uint8_t*>(plane.data), static_cast<std::size_t>(plane.stride));
    if (!model_ || gray.size() != size_) begin(gray.size(), frame.time);
    auto passed = std::max(frame.time - newest_, Duration(1));
    newest_ = frame.time;
    auto rate =
        1 - std::exp(-static_cast<double>(passed.count()) / static_cast<double>(options_.memory.count()));
    model_->apply(gray, moving_, rate);
    cv::morphologyEx(moving_, moving_, cv::MORPH_OPEN, kernel_);
    cv::dilate(moving_, moving_, kernel_);
    bool is_learning = frame.time - begun_ < options_.learn;
    for (std::size_t i = 0; i < options_.zones.size(); ++i) {
      auto seen = is_learning ? Seen{} : look_into(i);
      tell(i, frame, seen, sink);
    }
  }

  void begin(cv::Size size, Timestamp now) {
    constexpr int kHistory = 500;  // of no account: the rate is given with each picture
    model_ = cv::createBackgroundSubtractorMOG2(kHistory, options_.threshold, false);
    kernel_ = cv::getStructuringElement(cv::MORPH_ELLIPSE, {3, 3});
    size_ = size;
    begun_ = newest_ = now;
    masks_.clear();
    for (const auto& zone : options_.zones) {
      cv::Mat mask(size, CV_8UC1, cv::Scalar(zone.corners.empty() ? 255 : 0));
      std::vector<cv::Point> corners;
      for (const auto& corner : zone.corners)
        corners.emplace_back(cvRound(corner.x * size.width), cvRound(corner.y * size.height));
      if (!corners.empty()) cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{corners}, cv::Scalar(255));
      masks_.push_back({mask, std::max(1, cv::countNonZero(mask))});
    }
  }

  Seen look_into(std::size_t zone) {
    cv::bitwise_and(moving_, masks_[zone].mask, in_zone_);
    int labels = cv::connectedComponentsWithStats(in_zone_, labels_, stats_, centroids_, 8, CV_32S);
    Seen seen;
    int area = 0;
    auto least = options_.min_area * size_.area();
    for (int label = 1; label < labels; ++label) {
      int its = stats_.at<int>(label, cv::CC_STAT_AREA);
      if (its < least) continue;
      cv::Rect box(stats_.at<int>(label, cv::CC_STAT_LEFT), stats_.at<int>(label, cv::CC_STAT_TOP),
                   stats_.at<int>(label, cv::CC_STAT_WIDTH), stats_.at<int>(label, cv::CC_STAT_HEIGHT));
      seen.box = seen.box ? *seen.box | box : box;
      area += its;
    }
    seen.share = static_cast<double>(area) / masks_[zone].area;
    return seen;
  }

  void tell(std::size_t zone, const Frame& frame, const Seen& seen, FindingSink& sink) {
    using record::EventPhase;
    auto& watch = watches_[zone];
    auto say = watch.look(frame.time, seen.box.has_value());
    if (say == Watch::Say::kNothing) return;
    auto phase = say == Watch::Say::kStart    ? EventPhase::kStart
                 : say == Watch::Say::kUpdate ? EventPhase::kUpdate
                                              : EventPhase::kEnd;
    auto told = finding(zone, phase, seen);
    told.started = watch.began();
    sink.tell(std::move(told));
  }

  Finding finding(std::size_t zone, record::EventPhase phase, const Seen& seen) const {
    Finding finding;
    finding.object = static_cast<std::int64_t>(zone);
    finding.phase = phase;
    finding.class_name = "motion";
    finding.zone = options_.zones[zone].name;
    if (!seen.box) return finding;
    // As many digits as a pixel is worth.
    auto part = [](int value, int of) { return std::round(1e4 * value / of) / 1e4; };
    finding.score = std::min(1.0, std::round(1e4 * seen.share) / 1e4);
    finding.box =
        record::PictureBox{part(seen.box->x, size_.width), part(seen.box->y, size_.height),
                           part(seen.box->width, size_.width), part(seen.box->height, size_.height)};
    return finding;
  }

  struct Mask {
    cv::Mat mask;
    int area = 1;
  };
  const MotionOptions options_;
  std::vector<Watch> watches_;
  cv::Ptr<cv::BackgroundSubtractorMOG2> model_;
  cv::Size size_;
  cv::Mat kernel_, moving_, in_zone_, labels_, stats_, centroids_;
  std::vector<Mask> masks_;
  Timestamp begun_{}, newest_{};
};

class MotionKind final : public AnalyzerKind {
 public:
  MotionKind(MotionOptions options, record::AnalyzerIdentity identity, Wishes wishes)
      : AnalyzerKind(std::move(identity), wishes), options_(std::move(options)) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    return std::make_unique<MotionAnalyzer>(options_);
  }

 private:
  const MotionOptions options_;
};

}  // namespace

Result<std::unique_ptr<AnalyzerKind>> make_motion_kind(const Specification& specification) {
  OptionReader reader(specification);
  MotionOptions options;
  auto sensitivity = reader.number("sensitivity", 0.5, 0, 1);
  options.threshold = 64 / std::pow(16, sensitivity);  // OpenCV's own 16 in the middle
  options.min_area = reader.number("min_area", options.min_area, 0, 1);
  options.memory = reader.duration("memory", options.memory, std::chrono::milliseconds(100));
  options.learn = reader.duration("learn", options.learn);
  options.watch.min_time = reader.duration("min_time", options.watch.min_time);
  options.watch.quiet = reader.duration("quiet", options.watch.quiet);
  options.watch.most = reader.duration("most", options.watch.most, std::chrono::seconds(1));
  options.watch.update = reader.duration("update", options.watch.update);
  options.zones = read_zones(reader);
  Wishes wishes;
  auto [width, height] = reader.size("size", {320, 0});
  wishes.picture = {media::PixelFormat::kGray8, width, height};
  // The start of what may be open, and before it enough that what is older weighs e^-4.
  const auto& watch = options.watch;
  wishes.warm_up = options.learn + 4 * options.memory + watch.min_time + watch.quiet + watch.most;
  GOPLINE_TRY(reader.finish());
  // Workers, not threads, are what there is one of for each core.
  cv::setNumThreads(1);
  return std::make_unique<MotionKind>(std::move(options),
                                      record::AnalyzerIdentity{"motion", "1", reader.digest()}, wishes);
}

}  // namespace gopline::analyzer
