#include "server/live_window.h"

#include <algorithm>

#include "common/bytes/digest.h"
#include "common/media/segment_reader.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostSegments = 6;
constexpr Duration kLeastDuration = std::chrono::milliseconds(1);

record::AssemblerOptions joining() {
  record::AssemblerOptions options;
  options.joins = true;
  options.tells_chunks = true;
  return options;
}

}  // namespace

Duration LiveSegment::duration() const {
  Duration sum{0};
  for (const auto& part : parts) sum += part.duration;
  return sum;
}

bool follows(const LiveSegment& segment, const LiveSegment& before) {
  const auto& own = segment.headers;
  const auto& other = before.headers;
  return own.epoch == other.epoch && own.segment.value == other.segment.value + 1 &&
         own.discontinuities == other.discontinuities && segment.init_xxh3 == before.init_xxh3;
}

LiveWindow::LiveWindow(std::string stream) : stream_(std::move(stream)), assembler_(joining()) {}

bool LiveWindow::take(const record::IncomingRecord& record, SteadyTime now) {
  if (record.key != stream_) return false;
  bool has_more = false;
  for (auto& event : assembler_.add(record, now)) {
    if (auto* chunk = std::get_if<record::OpenChunk>(&event)) {
      has_more |= take(std::move(*chunk));
    } else if (auto* whole = std::get_if<record::AssembledSegment>(&event)) {
      has_more |= take(std::move(*whole));
    } else if (auto* lost = std::get_if<record::LostSegment>(&event)) {
      open_.erase({lost->headers.epoch, lost->headers.segment});
    } else if (auto* started = std::get_if<record::StartedEpoch>(&event)) {
      know(started->epoch, std::move(started->marker.tracks));
      while (tracks_.size() > 2) tracks_.erase(tracks_.begin());
    }
  }
  return has_more;
}

bool LiveWindow::take(record::OpenChunk chunk) {
  auto tracks = tracks_.find(chunk.headers.epoch);
  if (chunk.late || tracks == tracks_.end()) return false;
  auto headers = chunk.headers;
  auto [open, is_new] = open_.try_emplace({headers.epoch, headers.segment}, headers, tracks->second);
  auto part = open->second.add(chunk);
  return part && add(headers, *part, false);
}

bool LiveWindow::take(record::AssembledSegment whole) {
  auto open = open_.find({whole.headers.epoch, whole.headers.segment});
  if (open == open_.end()) return false;  // in one piece: the index tells soon enough
  auto headers = whole.headers;
  bool is_ours = !whole.late && whole.datarefs.empty() && open->second.parts() > 0;
  bool has_more = is_ours && add(headers, open->second.finish(std::move(whole)), true);
  open_.erase(open);
  return has_more;
}

bool LiveWindow::add(const record::SegmentHeaders& headers, const aggregator::Piece& piece, bool is_last) {
  auto bytes = piece.data.bytes.flatten();
  auto tracks = browser_tracks(bytes);
  auto fragments = tracks ? browser_fragments(bytes, *tracks) : Result<BufferChain>();
  if (!tracks || !fragments || tracks->track_ids.empty()) return false;
  bool is_new = segments_.empty() || segments_.back().headers.epoch != headers.epoch ||
                segments_.back().headers.segment != headers.segment;
  if (is_new) {
    if (piece.at.part != 0) return false;
    LiveSegment segment;
    segment.headers = headers;
    segment.init_xxh3 = xxh3_hex(bytes.share(0, tracks->init_size).bytes());
    segment.init = std::move(tracks->init);
    segment.tracks = tracks_[headers.epoch];
    segment.playable = tracks->track_ids;
    bool goes_on = !segments_.empty() && follows(segment, segments_.back());
    if (!goes_on) unlisted_ = {};
    segments_.push_back(std::move(segment));
    if (segments_.size() > kMostSegments) segments_.pop_front();
  }
  auto& segment = segments_.back();
  // A last part may have nothing of the main track; what was told of the one before cannot be changed.
  auto duration = std::max(piece.duration, kLeastDuration);
  segment.stored.append(bytes);
  unlisted_.append(bytes);
  if (!fragments->empty())
    segment.parts.push_back(
        {std::move(*fragments), duration, piece.sap != 0, std::exchange(unlisted_, BufferChain())});
  segment.is_complete = is_last;
  return true;
}

}  // namespace gopline::server
