#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "aggregator/follow/piece.h"
#include "common/bytes/buffer_chain.h"
#include "common/media/boxes.h"
#include "common/media/segment_reader.h"
#include "common/media/types.h"
#include "common/record/chunk_assembler.h"

namespace gopline::aggregator {

// What a piece is made of.
Piece piece_of(SegmentData data);

// Pieces of a segment whose chunks are still coming: one ends where a chunk ends with a whole fragment, which
// is where a low-latency writer ended a part. Chunks that end anywhere else wait for the next one; a segment
// that has no fragments, or none that can be read, is one piece when it is whole. Every piece has the init at
// its head. Not thread-safe.
class PartCutter {
 public:
  // `tracks` as in epoch.started.
  PartCutter(record::SegmentHeaders headers, std::vector<media::Track> tracks)
      : headers_(std::move(headers)), tracks_(std::move(tracks)), end_(headers_.start) {}

  // The next chunk, in order.
  std::optional<Piece> add(const record::OpenChunk& chunk);
  // What has not been given yet of the segment, now that it is whole.
  Piece finish(record::AssembledSegment whole);
  // The rest will not come: what can be played of what has.
  std::optional<Piece> give_up();

  std::int64_t parts() const { return part_; }  // given

 private:
  std::optional<Piece> cut();
  struct Times {
    Rational start, duration;
    Duration since_capture{};  // of the segment's first picture, to that of the part's
  };
  Times times_of(const media::PlayablePrefix& part);
  Piece piece_of_part(record::SegmentHeaders headers, Buffer bytes, std::size_t pinned_bytes,
                      const Times& times, bool last);

  record::SegmentHeaders headers_;  // of the first chunk
  std::vector<media::Track> tracks_;
  std::optional<Rational> first_pts_;  // of the segment
  Rational end_;                       // of the main track in what was given
  BufferChain init_;
  BufferChain waiting_;      // and not given yet
  std::size_t pinned_ = 0;   // bytes that the newest chunk keeps alive
  std::size_t given_ = 0;    // bytes of the segment
  std::int64_t part_ = 0;    // the next
  media::BoxEnds box_ends_;  // of all that has come
  bool is_whole_or_nothing_ = false;
};

}  // namespace gopline::aggregator
