#include "analyzer/null_analyzer.h"

#include "common/media/frames/picture_converter.h"

namespace gopline::analyzer {
namespace {

class NullAnalyzer final : public Analyzer {
 public:
  Result<void> take(const Frame&, FindingSink&) override { return {}; }
  Result<void> finish(FindingSink&) override { return {}; }
};

class NullKind final : public AnalyzerKind {
 public:
  using AnalyzerKind::AnalyzerKind;
  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    return std::make_unique<NullAnalyzer>();
  }
  Result<std::unique_ptr<Analyzer>> make_for_stills() const override { return make(""); }
};

}  // namespace

Result<std::unique_ptr<AnalyzerKind>> make_null_kind(const Specification& specification) {
  OptionReader options(specification);
  Wishes wishes;
  auto format = options.word("format", {"native", "gray8", "bgr24", "rgb24", "yuv420p"});
  auto [width, height] = options.size("size", {0, 0});
  wishes.picture = {media::pixel_format_from(format).value_or(media::PixelFormat::kAsDecoded), width, height};
  GOPLINE_TRY(options.finish());
  return std::make_unique<NullKind>(record::AnalyzerIdentity{"null", "1", options.digest()}, wishes);
}

}  // namespace gopline::analyzer
