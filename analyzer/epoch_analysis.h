#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/event_book.h"
#include "analyzer/track_decoder.h"
#include "common/base/result.h"
#include "common/bytes/buffer_chain.h"
#include "common/record/chunk_assembler.h"

namespace gopline::analyzer {

// Access point type: no picture behind it refers to one before it.
inline constexpr int kNothingBefore = 1;

// A segment on its way to an analyzer.
struct SegmentToAnalyze {
  record::SegmentHeaders headers;
  BufferChain bytes;
  Offset offset;  // of its first chunk
};

// A record of an event, and the offset of what it follows from: a segment's first chunk, or what ended the
// footage. It is certain to be told once if it is told together with that offset as done with.
struct ToldDetection {
  Offset because;
  record::Detection detection;
};

struct AnalysisStats {
  std::int64_t segments = 0;
  std::int64_t decoded = 0;      // pictures that came out of the decoder
  std::int64_t analyzed = 0;     // of those, given to the analyzer
  std::int64_t undecodable = 0;  // packets that the decoder refused
  std::int64_t runs = 0;         // uninterrupted ones: a decoder and an analyzer each
  Duration footage{};
  StageCounts stages;  // of an analyzer that has them
  ThumbnailStats thumbnails;
};

// One epoch of a stream on its way through decoder and analyzer.
//
// The decoder is kept from segment to segment and begins anew only where the footage does. What it holds back
// at a segment's end is asked for as long as every segment has begun with a picture behind which nothing
// refers to what was before it (access point type 1): then all events of a segment are known with its last
// packet. In an epoch where a segment begins otherwise the pictures of a segment come out with the next one,
// and its events with them.
//
// Not thread-safe. After an error only forget() and the destructor may be called.
class EpochAnalysis {
 public:
  EpochAnalysis(const AnalyzerKind& kind, std::optional<FrameChoice> frames, ThumbnailOptions thumbnails,
                record::StartedEpoch started);

  bool has_track() const { return track_ != nullptr; }
  // Whether it can begin with a segment like this.
  bool can_begin_with(const record::SegmentHeaders& headers) const;
  // Whether a segment goes on where the one before ended.
  bool continues_with(const record::SegmentHeaders& headers) const;

  // The next segment. `is_warm_up`: what is found is not told. `keys_alone`: less is decoded than was asked
  // for, for want of time. kCorrupt: nothing of it can be decoded; other errors are the analyzer's.
  Result<void> take(const SegmentToAnalyze& segment, bool is_warm_up = false, bool keys_alone = false);
  // The stream does not go on here, as what lies at `because` says: what is open ends. The next segment
  // begins a new run.
  Result<void> cut(Offset because);
  // Nothing is held back any more. The decoder and the analyzer are dropped, and nothing ends: what comes
  // next has to be led up to (warm_up.h).
  Result<void> settle();
  // The run is dropped with all that is open, and with what was told of segments that are not done with.
  void forget();

  // What is certain: no later picture of the segments that it is of is to come.
  std::vector<ToldDetection> take_detections();
  // Where the oldest segment begins of which pictures are still to come; nullopt: none are.
  std::optional<Offset> oldest_offset() const;

  EpochNumber number() const { return started_.epoch; }
  std::optional<SegmentNumber> newest_segment() const { return newest_; }
  // The oldest one of which pictures are still to come.
  std::optional<SegmentNumber> oldest_segment() const {
    return offsets_.empty() ? std::nullopt : std::optional(offsets_.begin()->first);
  }
  const AnalysisStats& stats() const { return stats_; }

 private:
  struct Coming {  // a packet of which the picture has not come
    SegmentNumber segment;
    Offset offset;
    std::int64_t number = 0;
    Rational pts;
    std::uint32_t choices = ~0U;  // 0: nobody's
    bool is_warm_up = false;
  };
  Result<void> begin();
  // No choices: decoded for what follows alone.
  Result<void> feed(const std::vector<media::Packet>& packets, const SegmentToAnalyze& segment,
                    std::span<const FrameChoice> choices, bool is_warm_up);
  Result<void> drain();
  Result<void> analyze(std::vector<DecodedFrame>& decoded);
  // The packet that something comes of. Nothing comes any more of it nor of those before.
  std::optional<Coming> arrived(Timestamp time);
  void note_told(Offset because, bool is_warm_up);
  Result<void> show(const Coming& at, DecodedFrame& decoded);
  void count_stages();

  const AnalyzerKind& kind_;
  const std::vector<FrameChoice> choices_;
  const record::StartedEpoch started_;
  const int main_index_, track_index_;   // of the track that segments have their times by; that is looked at
  const media::Track* track_ = nullptr;  // nullptr: the epoch has none of what the analyzer wishes for
  std::unique_ptr<TrackDecoder> decoder_;
  media::PictureConverter converter_;
  std::unique_ptr<Analyzer> analyzer_;
  EventBook book_;
  std::vector<ToldDetection> told_;
  std::map<Timestamp, Coming> coming_;
  std::map<SegmentNumber, Offset> offsets_;  // of segments of which pictures may be to come
  std::optional<SegmentNumber> newest_;      // of the run
  std::int64_t discontinuities_ = 0;         // as of that
  std::optional<Frame> newest_frame_;
  std::optional<SegmentToAnalyze> drained_;  // what the decoder knew when it was asked for all
  bool is_closed_ = true;                    // every segment has begun with access point type 1
  AnalysisStats stats_;
};

}  // namespace gopline::analyzer
