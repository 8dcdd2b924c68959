#include "analyzer/scene/scene_analyzer.h"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "analyzer/scene/scene_look.h"
#include "analyzer/watch.h"

namespace gopline::analyzer {
namespace {

struct SceneOptions {
  SceneLimits limits;
  WatchOptions watch, frozen;
  Duration learn = std::chrono::seconds(5);
};

// One after the other as they are told.
constexpr std::array<std::string_view, 5> kTroubles{"black", "covered", "defocused", "moved", "frozen"};
enum Trouble : std::size_t { kBlack, kCovered, kDefocused, kMoved, kFrozen };

double rounded(double value) {
  return std::round(1e4 * value) / 1e4;
}

class SceneAnalyzer final : public Analyzer {
 public:
  explicit SceneAnalyzer(const SceneOptions& options)
      : options_(options),
        look_(options.limits),
        watches_{Watch(options.watch), Watch(options.watch), Watch(options.watch), Watch(options.watch),
                 Watch(options.frozen)} {}

  Result<void> take(const Frame& frame, FindingSink& sink) override {
    try {
      look(frame, sink);
    } catch (const cv::Exception& error) {
      return fail(ErrorCode::kInternal, "scene: OpenCV: {}", error.what());
    }
    return {};
  }

  Result<void> finish(FindingSink& sink) override {
    for (std::size_t i = 0; i < watches_.size(); ++i) {
      if (watches_[i].is_open()) sink.tell(finding(i, record::EventPhase::kEnd, std::nullopt));
    }
    return {};
  }

 private:
  void look(const Frame& frame, FindingSink& sink) {
    auto plane = frame.picture.plane(0);
    // A view of what the decoder wrote; nobody writes to it.
    cv::Mat gray(frame.picture.height(), frame.picture.width(), CV_8UC1,
                 const_cast<std::uint8_t*>(plane.data), static_cast<std::size_t>(plane.stride));
    auto seen = look_.measure(gray, frame.time);
    if (!begun_) begun_ = frame.time;
    bool is_learning = frame.time - *begun_ < options_.learn;
    const auto& limits = options_.limits;
    bool is_blurred = !is_learning && seen.sharpness && *seen.sharpness < limits.blur;
    // Blurred edges are not where they were, and the camera has not moved.
    bool is_elsewhere = !is_learning && !is_blurred && seen.likeness && *seen.likeness < limits.likeness;
    tell(kBlack, frame, seen.is_black, seen.dark_share, sink);
    tell(kCovered, frame, seen.is_covered, seen.flat_share, sink);
    tell(kDefocused, frame, is_blurred, 1 - seen.sharpness.value_or(1), sink);
    tell(kMoved, frame, is_elsewhere, 1 - seen.likeness.value_or(1), sink);
    tell(kFrozen, frame, seen.is_same, std::nullopt, sink);
  }

  void tell(std::size_t trouble, const Frame& frame, bool is_there, std::optional<double> score,
            FindingSink& sink) {
    using record::EventPhase;
    auto& watch = watches_[trouble];
    auto say = watch.look(frame.time, is_there);
    if (say == Watch::Say::kNothing) return;
    auto phase = say == Watch::Say::kStart    ? EventPhase::kStart
                 : say == Watch::Say::kUpdate ? EventPhase::kUpdate
                                              : EventPhase::kEnd;
    auto told = finding(trouble, phase, is_there ? score : std::nullopt);
    told.started = watch.began();
    sink.tell(std::move(told));
  }

  static Finding finding(std::size_t trouble, record::EventPhase phase, std::optional<double> score) {
    Finding finding;
    finding.object = static_cast<std::int64_t>(trouble);
    finding.phase = phase;
    finding.class_name = kTroubles[trouble];
    if (score) finding.score = rounded(std::clamp(*score, 0.0, 1.0));
    return finding;
  }

  const SceneOptions& options_;
  SceneLook look_;
  std::array<Watch, kTroubles.size()> watches_;
  std::optional<Timestamp> begun_;
};

class SceneKind final : public AnalyzerKind {
 public:
  SceneKind(SceneOptions options, record::AnalyzerIdentity identity, Wishes wishes)
      : AnalyzerKind(std::move(identity), wishes), options_(options) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    return std::make_unique<SceneAnalyzer>(options_);
  }

 private:
  const SceneOptions options_;
};

}  // namespace

Result<std::unique_ptr<AnalyzerKind>> make_scene_kind(const Specification& specification) {
  using std::chrono::seconds;
  OptionReader reader(specification);
  SceneOptions options;
  auto& limits = options.limits;
  limits.dark = reader.number("dark", limits.dark, 0, 255);
  limits.flat = reader.number("flat", limits.flat, 0, 1);
  limits.blur = reader.number("blur", limits.blur, 0, 1);
  limits.likeness = reader.number("likeness", limits.likeness, 0, 1);
  limits.still = reader.number("still", limits.still, 0, 255);
  limits.memory = reader.duration("memory", limits.memory, std::chrono::milliseconds(100));
  options.learn = reader.duration("learn", options.learn);
  auto& watch = options.watch;
  watch.min_time = reader.duration("min_time", seconds(2));
  watch.quiet = reader.duration("quiet", seconds(2));
  watch.most = reader.duration("most", seconds(60), seconds(1));
  watch.update = Duration::zero();
  options.frozen = watch;
  options.frozen.min_time = reader.duration("frozen_time", seconds(10));
  Wishes wishes;
  wishes.frames = {FrameChoice::Kind::kRate, {2, 1}};
  wishes.picture = {media::PixelFormat::kGray8, 320, 0};
  wishes.warm_up = options.learn + 4 * limits.memory + watch.quiet + watch.most +
                   std::max(watch.min_time, options.frozen.min_time);
  GOPLINE_TRY(reader.finish());
  cv::setNumThreads(1);  // workers are what there is one of for each core
  return std::make_unique<SceneKind>(options, record::AnalyzerIdentity{"scene", "1", reader.digest()},
                                     wishes);
}

}  // namespace gopline::analyzer
