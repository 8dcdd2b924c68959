#pragma once
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "aggregator/part_cutter.h"
#include "common/base/clock.h"
#include "common/bytes/buffer_chain.h"
#include "common/record/chunk_assembler.h"
#include "server/browser_tracks.h"

namespace gopline::server {

// A part of a segment (RFC 8216bis, 4.4.4.9), for a browser.
struct LivePart {
  BufferChain fragments;
  Duration duration{0};
  bool is_independent = false;
  BufferChain stored = {};  // as stored, each piece behind the init; what no browser takes, too, and what
                            // came since the part before and had nothing else
};

struct LiveSegment {
  record::SegmentHeaders headers;  // of its first chunk
  std::string init_xxh3;           // as its index entry will have it
  Buffer init;                     // for a browser
  std::vector<media::Track> tracks;
  std::vector<int> playable;  // the IDs of those that browsers take
  std::vector<LivePart> parts;
  BufferChain stored;  // all of it so far, each piece behind the init
  bool is_complete = false;

  Duration duration() const;
};

// Whether it goes on where the other ended, without a break.
bool follows(const LiveSegment& segment, const LiveSegment& before);

// The newest segments of one stream by their parts, out of the records as they come; a few of them, and what
// has not become a whole part yet. Not thread-safe.
class LiveWindow {
 public:
  explicit LiveWindow(std::string stream);

  // An epoch that began before the reading did.
  void know(EpochNumber epoch, std::vector<media::Track> tracks) { tracks_[epoch] = std::move(tracks); }
  // True: there is more than before.
  bool take(const record::IncomingRecord& record, SteadyTime now);

  const std::deque<LiveSegment>& segments() const { return segments_; }

 private:
  bool take(record::OpenChunk chunk);
  bool take(record::AssembledSegment whole);
  bool add(const record::SegmentHeaders& headers, const aggregator::Piece& piece, bool is_last);

  std::string stream_;
  record::ChunkAssembler assembler_;
  std::map<EpochNumber, std::vector<media::Track>> tracks_;
  std::map<std::pair<EpochNumber, SegmentNumber>, aggregator::PartCutter> open_;
  std::deque<LiveSegment> segments_;
  BufferChain unlisted_;  // that no part has told yet
};

}  // namespace gopline::server
