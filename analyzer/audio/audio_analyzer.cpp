#include "analyzer/audio/audio_analyzer.h"

#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "analyzer/audio/loudness.h"
#include "analyzer/audio/spectrum.h"
#include "analyzer/watch.h"

namespace gopline::analyzer {
namespace {

using nlohmann::ordered_json;
using record::EventPhase;

struct AudioOptions {
  double silence = -60;  // LUFS below which it is silent
  double sudden = 15;    // LU above what is usual that are a sudden noise
  double least = -50;    // LUFS below which nothing is one
  Duration memory = std::chrono::seconds(30);
  Duration every = std::chrono::seconds(10);
  WatchOptions silent, brief;
};

constexpr std::array<std::string_view, 3> kTold{"silence", "clipping", "noise"};
enum Told : std::size_t { kSilent, kClipping, kNoise };
constexpr std::int64_t kLoudnessObject = 3;
constexpr double kFloor = -70;  // LUFS: what cannot be heard
constexpr float kFullScale = 0.999F;
constexpr float kFlat =
    0.95F;  // where codecs that do not reach full scale cut: the same value, again and again
constexpr int kClippedSamples = 3;  // in a row: one alone is a peak
constexpr auto kMomentary = std::chrono::milliseconds(400);

double tenth(double value) {
  return std::round(10 * value) / 10;
}

ordered_json tenth_or_null(std::optional<double> value) {
  return value ? ordered_json(tenth(*value)) : ordered_json(nullptr);
}

// The sound between two multiples of `every` in time, measured by itself.
struct Piece {
  Piece(int rate, Timestamp at) : loudness(1, rate, Loudness::Of::kWhole), spectrum(rate), began(at) {}
  Loudness loudness;
  Spectrum spectrum;
  Timestamp began;
  Duration length{};
};

ordered_json details_of(const Piece& piece) {
  auto features = piece.spectrum.features();
  ordered_json bands;
  for (const auto& band : features.bands) bands[std::to_string(band.middle_hz)] = tenth(band.level_db);
  return {{"seconds", std::round(static_cast<double>(piece.length.count()) / 1e3) / 1e3},
          {"integrated_lufs", tenth_or_null(piece.loudness.integrated())},
          {"range_lu", tenth_or_null(piece.loudness.range())},
          {"peak_dbfs", tenth_or_null(piece.loudness.peak())},
          {"centroid_hz", std::round(features.centroid_hz)},
          {"rolloff_hz", std::round(features.rolloff_hz)},
          {"flatness", std::round(1e3 * features.flatness) / 1e3},
          {"bands_dbfs", bands}};
}

class AudioAnalyzer final : public Analyzer {
 public:
  explicit AudioAnalyzer(const AudioOptions& options)
      : options_(options), watches_{Watch(options.silent), Watch(options.brief), Watch(options.brief)} {}

  Result<void> take(const Frame& frame, FindingSink& sink) override {
    if (frame.samples.empty()) return {};
    try {
      listen(frame, sink);
    } catch (const cv::Exception& error) {
      return fail(ErrorCode::kInternal, "audio: OpenCV: {}", error.what());
    }
    return {};
  }

  Result<void> finish(FindingSink& sink) override {
    for (std::size_t i = 0; i < watches_.size(); ++i) {
      if (watches_[i].is_open()) sink.tell(finding(i, EventPhase::kEnd, std::nullopt));
    }
    tell_piece(sink);
    return {};
  }

 private:
  void listen(const Frame& frame, FindingSink& sink) {
    if (!momentary_ || frame.sample_rate != rate_) begin(frame);
    if (piece_of(frame.time) != piece_of(piece_->began)) {
      tell_piece(sink);
      piece_.emplace(rate_, frame.time);
    }
    momentary_->add(frame.samples);
    piece_->loudness.add(frame.samples);
    piece_->spectrum.add(frame.samples);
    piece_->length += frame.duration;
    heard_ += frame.duration;
    tell(kClipping, frame, is_clipped(frame.samples), std::nullopt, sink);
    if (heard_ < kMomentary) return;
    auto level = momentary_->momentary().value_or(kFloor);
    tell(kSilent, frame, level < options_.silence, level, sink);
    auto usual = usual_ > 0 ? 10 * std::log10(usual_) : level;
    bool is_sudden = level >= options_.least && level >= usual + options_.sudden;
    tell(kNoise, frame, is_sudden, level, sink);
    remember(frame.duration, level);
  }

  void begin(const Frame& frame) {
    rate_ = frame.sample_rate;
    momentary_.emplace(1, rate_, Loudness::Of::kMoment);
    piece_.emplace(rate_, frame.time);
    heard_ = {};
  }

  void remember(Duration passed, double level) {
    auto power = std::pow(10, level / 10);
    auto weight = -static_cast<double>(passed.count()) / static_cast<double>(options_.memory.count());
    usual_ = usual_ > 0 ? usual_ + (1 - std::exp(weight)) * (power - usual_) : power;
  }

  bool is_clipped(const std::vector<float>& samples) {
    bool clipped = false;
    for (float sample : samples) {
      auto size = std::abs(sample);
      full_ = size >= kFullScale || (size >= kFlat && sample == before_) ? full_ + 1 : 0;
      before_ = sample;
      clipped = clipped || full_ >= kClippedSamples;
    }
    return clipped;
  }

  std::int64_t piece_of(Timestamp time) const {
    auto since = time.time_since_epoch().count(), every = options_.every.count();
    return since / every - (since % every < 0 ? 1 : 0);
  }

  void tell(std::size_t what, const Frame& frame, bool is_there, std::optional<double> level,
            FindingSink& sink) {
    auto& watch = watches_[what];
    auto say = watch.look(frame.time, is_there);
    if (say == Watch::Say::kNothing) return;
    auto phase = say == Watch::Say::kStart    ? EventPhase::kStart
                 : say == Watch::Say::kUpdate ? EventPhase::kUpdate
                                              : EventPhase::kEnd;
    auto told = finding(what, phase, level);
    told.started = watch.began();
    sink.tell(std::move(told));
  }

  static Finding finding(std::size_t what, EventPhase phase, std::optional<double> level) {
    Finding finding;
    finding.object = static_cast<std::int64_t>(what);
    finding.phase = phase;
    finding.class_name = kTold[what];
    if (level) finding.details = ordered_json{{"momentary_lufs", tenth(*level)}}.dump();
    return finding;
  }

  void tell_piece(FindingSink& sink) {
    if (!piece_ || piece_->length == Duration::zero()) return;
    Finding finding;
    finding.object = kLoudnessObject;
    finding.class_name = "loudness";
    finding.started = piece_->began;
    finding.details = details_of(*piece_).dump();
    auto end = finding;
    end.phase = EventPhase::kEnd;
    sink.tell(std::move(finding));
    sink.tell(std::move(end));
    piece_.reset();
  }

  const AudioOptions& options_;
  std::array<Watch, kTold.size()> watches_;
  std::optional<Loudness> momentary_;
  std::optional<Piece> piece_;
  Duration heard_{};
  int rate_ = 0;
  int full_ = 0;  // samples of full scale in a row
  float before_ = 0;
  double usual_ = 0;  // power
};

class AudioKind final : public AnalyzerKind {
 public:
  AudioKind(AudioOptions options, record::AnalyzerIdentity identity, Wishes wishes)
      : AnalyzerKind(std::move(identity), wishes), options_(options) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    return std::make_unique<AudioAnalyzer>(options_);
  }

 private:
  const AudioOptions options_;
};

}  // namespace

Result<std::unique_ptr<AnalyzerKind>> make_audio_kind(const Specification& specification) {
  using std::chrono::seconds;
  OptionReader reader(specification);
  AudioOptions options;
  options.silence = reader.number("silence", options.silence, kFloor, 0);
  options.sudden = reader.number("sudden", options.sudden, 0, 100);
  options.least = reader.number("least", options.least, kFloor, 0);
  options.memory = reader.duration("memory", options.memory, std::chrono::milliseconds(100));
  options.every = reader.duration("every", options.every, seconds(1));
  auto& silent = options.silent;
  silent.min_time = reader.duration("min_time", seconds(2));
  silent.quiet = reader.duration("quiet", std::chrono::milliseconds(500));
  silent.most = reader.duration("most", seconds(60), seconds(1));
  silent.update = Duration::zero();
  options.brief = silent;
  options.brief.min_time = Duration::zero();
  Wishes wishes;
  wishes.sound_channels = 1;
  wishes.warm_up = 4 * options.memory + silent.min_time + silent.quiet + silent.most + options.every;
  GOPLINE_TRY(reader.finish());
  return std::make_unique<AudioKind>(options, record::AnalyzerIdentity{"audio", "1", reader.digest()},
                                     wishes);
}

}  // namespace gopline::analyzer
