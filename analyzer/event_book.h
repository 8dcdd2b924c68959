#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/analyzer.h"
#include "common/media/frames/jpeg.h"
#include "common/record/detection.h"

namespace gopline::analyzer {

struct ThumbnailOptions {
  int most_width = 320;             // 0: none
  std::size_t most_bytes = 24'000;  // in an event
  bool by_reference = false;        // a larger one lies elsewhere; else it is made smaller, or left out
};

// What became of thumbnails that were too large for their events.
struct ThumbnailStats {
  std::int64_t smaller = 0;   // made so
  std::int64_t left_out = 0;  // the record says where the picture is
};

// Turns what an analyzer says into records. An event has its name from the picture at which it started and
// its place among those that did: EPOCH-SEGMENT-FRAME-ANALYZER.CONFIGURATION-N. Nothing else goes in, so that
// who looks at the same pictures again tells the same records. Not thread-safe.
class EventBook final : public FindingSink {
 public:
  EventBook(record::AnalyzerIdentity analyzer, ThumbnailOptions thumbnails);

  // What is told from now on is told at this frame.
  void turn_to(const Frame& frame);
  void tell(Finding finding) override;

  // What was told since the last call, in order.
  std::vector<record::Detection> take() { return std::exchange(told_, {}); }
  // All open events are forgotten, as if they had never been told.
  void clear() { open_.clear(); }
  std::size_t open() const { return open_.size(); }
  const ThumbnailStats& thumbnails() const { return thumbnail_stats_; }

 private:
  struct OpenEvent {
    std::string name;
    std::int64_t records = 0;
    Timestamp started;
  };
  std::optional<record::Thumbnail> thumbnail();
  std::optional<record::Thumbnail> smaller_thumbnail();

  const record::AnalyzerIdentity analyzer_;
  const ThumbnailOptions thumbnails_;
  ThumbnailStats thumbnail_stats_;
  media::JpegEncoder jpeg_;
  Frame frame_;
  std::map<std::string, int> started_at_frame_;  // by who found it
  std::map<std::int64_t, OpenEvent> open_;
  std::vector<record::Detection> told_;
};

}  // namespace gopline::analyzer
