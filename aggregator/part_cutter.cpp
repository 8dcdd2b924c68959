#include "aggregator/part_cutter.h"

#include <algorithm>

#include "common/base/rational.h"

namespace gopline::aggregator {
namespace {

Duration microseconds(const Rational& seconds) {
  return Duration(rescale(seconds.num, {1, seconds.den}, {1, 1'000'000}));
}

bool are_of_one_segment(const record::SegmentHeaders& a, const record::SegmentHeaders& b) {
  return a.writer == b.writer && a.ordinal == b.ordinal && a.content_type == b.content_type;
}

}  // namespace

Piece piece_of(SegmentData data) {
  const auto& headers = data.headers;
  Piece piece;
  piece.at = {headers.epoch, headers.segment.value, data.part};
  piece.last = data.last_part;
  piece.sap = headers.sap;
  piece.discontinuity = headers.discontinuities;
  piece.start = microseconds(headers.start);
  piece.duration = microseconds(headers.duration.value_or(Rational{}));
  piece.time = headers.time;
  piece.bytes = data.pinned_bytes;
  piece.data = std::move(data);
  return piece;
}

std::optional<Piece> PartCutter::add(const record::OpenChunk& chunk) {
  if (chunk.headers.dataref || !are_of_one_segment(chunk.headers, headers_)) is_whole_or_nothing_ = true;
  if (is_whole_or_nothing_) return std::nullopt;
  waiting_.append(chunk.bytes);
  pinned_ = chunk.pinned_bytes;
  box_ends_.add(chunk.bytes.bytes());
  return box_ends_.is_behind("mdat") ? cut() : std::nullopt;
}

std::optional<Piece> PartCutter::give_up() {
  return is_whole_or_nothing_ || waiting_.empty() ? std::nullopt : cut();
}

// What waits, up to its last whole fragment.
std::optional<Piece> PartCutter::cut() {
  auto bytes = init_;
  bytes.append(waiting_);
  auto flat = bytes.flatten();
  auto playable = media::playable_prefix(flat, headers_.content_type, tracks_);
  if (!playable) {
    is_whole_or_nothing_ = true;
    return std::nullopt;
  }
  bool is_shared = bytes.buffers().size() == 1;  // flatten() copied nothing
  auto pinned = is_shared ? std::max(pinned_, flat.size()) : flat.size();
  auto taken = playable->size - init_.size();
  waiting_ = waiting_.share(taken, waiting_.size() - taken);
  given_ += taken;
  if (part_ == 0) {
    auto init = media::read_init(flat);
    if (init) init_ = BufferChain(Buffer::copy(init->bytes.bytes()));  // not the whole part's memory
  }
  return piece_of_part(headers_, flat.share(0, playable->size), pinned, times_of(*playable), false);
}

Piece PartCutter::finish(record::AssembledSegment whole) {
  if (part_ == 0) {
    return piece_of(SegmentData{std::move(whole.headers), std::move(whole.bytes), whole.pinned_bytes});
  }
  auto bytes = init_;
  bytes.append(whole.bytes.share(given_, whole.bytes.size() - given_));
  auto flat = bytes.flatten();
  auto playable = media::playable_prefix(flat, headers_.content_type, tracks_);
  auto times = times_of(playable.value_or(media::PlayablePrefix{}));
  auto size = flat.size();
  return piece_of_part(std::move(whole.headers), std::move(flat), size, times, true);
}

// A part without the main track has no time of its own: it is where the one before ended.
PartCutter::Times PartCutter::times_of(const media::PlayablePrefix& part) {
  if (!part.start) return {end_, {0, end_.den}, microseconds(end_) - microseconds(headers_.start)};
  Rational pts{part.first_pts, part.timescale};
  if (!first_pts_) first_pts_ = pts;
  end_ = {*part.start + part.duration, part.timescale};
  return {{*part.start, part.timescale},
          {part.duration, part.timescale},
          microseconds(pts) - microseconds(*first_pts_)};
}

// A part's headers are the segment's, but for when it is: capture time counts on by media time, and is as a
// segment's that of the first picture in decode order, at its pts.
Piece PartCutter::piece_of_part(record::SegmentHeaders headers, Buffer bytes, std::size_t pinned_bytes,
                                const Times& times, bool last) {
  if (part_ > 0) headers.sap = 0;
  headers.time += times.since_capture;
  headers.start = times.start;
  headers.duration = times.duration;
  SegmentData data{std::move(headers), BufferChain(std::move(bytes)), pinned_bytes};
  data.part = part_++;
  data.last_part = last;
  return piece_of(std::move(data));
}

}  // namespace gopline::aggregator
