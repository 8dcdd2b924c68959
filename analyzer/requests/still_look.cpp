#include "analyzer/requests/still_look.h"

#include <utility>

#include "common/media/frames/still_image.h"

namespace gopline::analyzer {
namespace {

// What is there, and not when it goes.
class StillSink final : public FindingSink {
 public:
  explicit StillSink(std::vector<Finding>& findings) : findings_(findings) {}
  void tell(Finding finding) override {
    if (finding.phase == record::EventPhase::kStart) findings_.push_back(std::move(finding));
  }

 private:
  std::vector<Finding>& findings_;
};

}  // namespace

Result<std::unique_ptr<StillLook>> StillLook::open(const AnalyzerKind& kind) {
  std::unique_ptr<StillLook> look(new StillLook(kind));
  GOPLINE_ASSIGN(look->analyzer_, kind.make_for_stills());
  return look;
}

Result<SeenPicture> StillLook::look(const Buffer& file, const std::string& subject, std::int64_t number,
                                    Timestamp time) {
  GOPLINE_ASSIGN(auto image, media::read_still_image(file));
  SeenPicture seen;
  GOPLINE_ASSIGN(seen.picture, media::upright(image.picture, image.orientation));
  Frame frame;
  frame.stream = subject;
  frame.number = number;
  frame.time = time;
  frame.duration = std::chrono::seconds(1);
  frame.decoded = seen.picture;
  GOPLINE_ASSIGN(frame.picture, converter_.convert(frame.decoded));
  if (auto shown = show(frame, seen.findings); !shown) {
    analyzer_.reset();
    return fail(ErrorCode::kInternal, "{}", shown.error().message);
  }
  return seen;
}

Result<void> StillLook::show(const Frame& frame, std::vector<Finding>& findings) {
  if (!analyzer_) {
    GOPLINE_ASSIGN(analyzer_, kind_.make_for_stills());
  }
  StillSink sink(findings);
  GOPLINE_TRY(analyzer_->take(frame, sink));
  return analyzer_->finish(sink);
}

}  // namespace gopline::analyzer
