#include "analyzer/exec/exec_analyzer.h"

#include <map>
#include <vector>

#include <nlohmann/json.hpp>

#include "analyzer/exec/answer.h"
#include "analyzer/exec/program.h"
#include "common/base/text.h"
#include "common/media/frames/jpeg.h"

namespace gopline::analyzer {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr int kJpegQuality = 3;

struct ExecOptions {
  ProgramOptions program;
  std::string format;  // "jpeg", "f32" for sound, or what the pixel format is called
};

void append_rows(Bytes& out, const media::Picture::Plane& plane, int row_bytes, int rows) {
  for (int row = 0; row < rows; ++row) {
    const auto* begin = plane.data + row * plane.stride;
    out.insert(out.end(), begin, begin + row_bytes);
  }
}

// Rows without what a decoder leaves between them.
Bytes raw_bytes(const media::Picture& picture, std::string_view format) {
  Bytes out;
  int width = picture.width(), height = picture.height();
  if (format == "yuv420p") {
    int half_width = (width + 1) / 2, half_height = (height + 1) / 2;
    append_rows(out, picture.plane(0), width, height);
    for (int plane : {1, 2}) append_rows(out, picture.plane(plane), half_width, half_height);
  } else {
    append_rows(out, picture.plane(0), format == "gray8" ? width : 3 * width, height);
  }
  return out;
}

class ExecAnalyzer final : public Analyzer {
 public:
  ExecAnalyzer(const ExecOptions& options, std::unique_ptr<Program> program)
      : options_(options), program_(std::move(program)), jpeg_(kJpegQuality) {}

  Result<void> take(const Frame& frame, FindingSink& sink) override {
    GOPLINE_ASSIGN(auto bytes, bytes_of(frame));
    GOPLINE_ASSIGN(auto line, program_->ask(question(frame, bytes)));
    GOPLINE_ASSIGN(auto events, parse_answer(line));
    for (auto& event : events) GOPLINE_TRY(tell(std::move(event), sink));
    return {};
  }

  Result<void> finish(FindingSink& sink) override {
    for (const auto& [object, open] : open_) {
      Finding end = open;
      end.phase = record::EventPhase::kEnd;
      sink.tell(std::move(end));
    }
    open_.clear();
    return {};
  }

 private:
  Result<Bytes> bytes_of(const Frame& frame) {
    if (options_.format == "f32") {
      const auto* samples = reinterpret_cast<const std::uint8_t*>(frame.samples.data());
      return Bytes(samples, samples + sizeof(float) * frame.samples.size());
    }
    if (options_.format != "jpeg") return raw_bytes(frame.picture, options_.format);
    GOPLINE_ASSIGN(auto bytes, jpeg_.encode(frame.picture));
    return Bytes(bytes.data(), bytes.data() + bytes.size());
  }

  Bytes question(const Frame& frame, const Bytes& bytes) const {
    nlohmann::ordered_json head{{"stream", frame.stream},
                                {"epoch", frame.epoch.value},
                                {"segment", frame.segment.value},
                                {"frame", frame.number},
                                {"pts", gopline::to_string(frame.pts)},
                                {"time", format_rfc3339(frame.time)}};
    if (frame.picture.empty()) {
      head["rate"] = frame.sample_rate;
      head["samples"] = frame.samples.size();
    } else {
      head["width"] = frame.picture.width();
      head["height"] = frame.picture.height();
    }
    head["format"] = options_.format;
    head["bytes"] = bytes.size();
    auto text = head.dump() + "\n";
    Bytes out(text.begin(), text.end());
    out.insert(out.end(), bytes.begin(), bytes.end());
    return out;
  }

  Result<void> tell(AnswerEvent event, FindingSink& sink) {
    auto& finding = event.finding;
    using record::EventPhase;
    if (!event.object) {  // begins and ends with this picture
      finding.object = -1;
      auto end = finding;
      end.phase = EventPhase::kEnd;
      sink.tell(std::move(finding));
      sink.tell(std::move(end));
      return {};
    }
    finding.object = *event.object;
    bool is_open = open_.contains(finding.object);
    if (is_open == (finding.phase == EventPhase::kStart)) {
      return fail(ErrorCode::kUnavailable, "the program's answer: object {} {}", finding.object,
                  is_open ? "has started already" : "has not started");
    }
    if (finding.phase == EventPhase::kStart) open_[finding.object] = finding;
    if (finding.phase == EventPhase::kEnd) open_.erase(finding.object);
    sink.tell(std::move(finding));
    return {};
  }

  const ExecOptions& options_;
  std::unique_ptr<Program> program_;
  media::JpegEncoder jpeg_;
  std::map<std::int64_t, Finding> open_;
};

class ExecKind final : public AnalyzerKind {
 public:
  ExecKind(ExecOptions options, record::AnalyzerIdentity identity, Wishes wishes)
      : AnalyzerKind(std::move(identity), wishes), options_(std::move(options)) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string& stream) const override {
    auto options = options_.program;
    options.subject = stream;
    GOPLINE_ASSIGN(auto program, Program::start(std::move(options)));
    return std::make_unique<ExecAnalyzer>(options_, std::move(program));
  }
  Result<std::unique_ptr<Analyzer>> make_for_stills() const override {
    if (wishes().sound_channels) return AnalyzerKind::make_for_stills();
    return make("requests");
  }

 private:
  const ExecOptions options_;
};

}  // namespace

Result<std::unique_ptr<AnalyzerKind>> make_exec_kind(const Specification& specification) {
  OptionReader reader(specification);
  ExecOptions options;
  options.program.command = reader.text("run", "");
  if (options.program.command.empty()) reader.complain("run", "which program? write run=COMMAND, at the end");
  options.program.patience =
      reader.duration("timeout", options.program.patience, std::chrono::milliseconds(10));
  options.format = reader.word("format", {"bgr24", "rgb24", "gray8", "yuv420p", "jpeg", "f32"});
  auto [width, height] = reader.size("size", {0, 0});
  Wishes wishes;
  wishes.waits = true;
  auto pixels = media::pixel_format_from(options.format).value_or(media::PixelFormat::kAsDecoded);
  wishes.picture = {pixels, width, height};
  if (options.format == "f32") wishes.sound_channels = 1;
  wishes.warm_up = reader.duration("warm_up", Duration::zero());
  auto version = reader.text("version", "1");
  auto name = reader.text("name", "exec");
  GOPLINE_TRY(reader.finish());
  return std::make_unique<ExecKind>(std::move(options),
                                    record::AnalyzerIdentity{name, version, reader.digest()}, wishes);
}

}  // namespace gopline::analyzer
