#include "server/snapshots.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/media/access_point.h"
#include "common/media/frames/display_jpeg.h"
#include "common/media/frames/picture_decoder.h"
#include "common/media/segment_reader.h"

namespace gopline::server {
namespace {

using media::DecodedPicture;
using media::Packet;
using media::Track;

constexpr int kMostWaiting = 6;
constexpr int kOpenGroup = 3;               // the stream access point type of its key frame
constexpr std::int64_t kLongestGroup = 60;  // segments that a GOP was cut into

// The packets of the main track, and the time of its tick 0.
struct MainTrack {
  Track track;
  std::vector<Packet> packets;
  Timestamp zero;

  Timestamp time_of(const Packet& packet) const {
    auto ticks = (packet.pts ? packet.pts : packet.dts).value_or(0);
    return zero + Duration(rescale(ticks, track.time_base, kMicroseconds));
  }
};

Result<MainTrack> main_track_in(const std::vector<SegmentPtr>& segments, const std::vector<EntryPtr>& entries,
                                const std::vector<Track>& tracks) {
  if (tracks.empty()) return fail(ErrorCode::kUnsupported, "{}: it has no tracks", entries.back()->stream);
  auto index = media::main_track_of(tracks);
  MainTrack main{tracks[static_cast<std::size_t>(index)], {}, {}};
  if (main.track.codec.type != media::MediaType::kVideo)
    return fail(ErrorCode::kUnsupported, "{}: it has no pictures", entries.back()->stream);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    GOPLINE_ASSIGN(
        auto packets,
        media::unpack_segment(segments[i]->bytes, segments[i]->is_nut ? "video/x-nut" : "video/mp4", tracks));
    std::erase_if(packets, [&](const Packet& packet) { return packet.track != index; });
    if (main.packets.empty() && !packets.empty()) {
      auto ticks = (packets.front().pts ? packets.front().pts : packets.front().dts).value_or(0);
      main.zero = media::zero_of(entries[i]->time, ticks, main.track.time_base);
    }
    main.packets.insert(main.packets.end(), packets.begin(), packets.end());
  }
  return main;
}

// The last key frame that is shown by then; else the first.
std::size_t key_before(const MainTrack& main, std::optional<Timestamp> at) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < main.packets.size(); ++i) {
    if (main.packets[i].is_key() && (!at || main.time_of(main.packets[i]) <= *at)) found = i;
  }
  return found;
}

// Pictures before the key frame of an open GOP come behind it, and need the GOP before it too.
bool ends_group(const Track& track, const Packet& packet) {
  return packet.is_key() && media::sap_type(track, packet) != kOpenGroup;
}

// The picture that is on the screen at that time; without one, the key frame's.
Result<DecodedPicture> decode_at(const MainTrack& main, std::optional<Timestamp> at) {
  GOPLINE_ASSIGN(auto decoder, media::PictureDecoder::open(main.track));
  std::optional<DecodedPicture> best;
  std::vector<DecodedPicture> pictures;
  bool is_past = false;
  auto look = [&] {
    for (auto& one : pictures) {
      if (!best || (at && one.time <= *at && one.time >= best->time))
        best = std::move(one);
      else
        is_past = is_past || (at && one.time > *at);
    }
    pictures.clear();
  };
  auto key = key_before(main, at);
  for (auto i = key; i < main.packets.size() && !is_past; ++i) {
    if (i > key && (!at || ends_group(main.track, main.packets[i]))) break;
    (void)decoder->decode(main.packets[i], main.zero, pictures);  // one that is damaged is not shown
    look();
  }
  decoder->drain(pictures);
  look();
  if (!best) return fail(ErrorCode::kCorrupt, "no picture can be decoded there");
  return std::move(*best);
}

}  // namespace

SnapshotPtr Snapshots::look_up(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  used_.splice(used_.begin(), used_, found->second);
  return found->second->second;
}

void Snapshots::keep(const std::string& key, const SnapshotPtr& snapshot) {
  std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) return;
  used_.emplace_front(key, snapshot);
  by_key_[key] = used_.begin();
  bytes_ += snapshot->jpeg.size();
  while (bytes_ > most_bytes_ && used_.size() > 1) {
    bytes_ -= used_.back().second->jpeg.size();
    by_key_.erase(used_.back().first);
    used_.pop_back();
  }
}

Result<SegmentRow> Snapshots::row_at(const std::string& stream, std::optional<Timestamp> at,
                                     const StopToken& stop) {
  GOPLINE_ASSIGN(auto view, catalog_.find(stream));
  auto since = at               ? at
               : view.last_time ? std::optional(*view.last_time - std::chrono::minutes(10))
                                : std::nullopt;
  GOPLINE_ASSIGN(auto segments, catalog_.segments(stream, since, stop));
  auto rows = at ? segments->between(*at, *at + Duration(1)) : segments->newest(1);
  if (rows.empty()) return fail(ErrorCode::kNotFound, "{}: nothing was recorded at that time", stream);
  return rows.back();
}

// A GOP that was cut is read from where it begins, and one behind which an open one follows to beyond its
// end.
Result<Snapshots::Group> Snapshots::group_of(const StreamView& view, const SegmentRow& row,
                                             const StopToken& stop) {
  GOPLINE_ASSIGN(auto segments, catalog_.segments(view.state.stream, row.time, stop));
  Group group;
  for (std::optional<SegmentRow> at = row; at && std::ssize(group) < kLongestGroup;) {
    GOPLINE_ASSIGN(auto entries, entries_.get(view.state.partition, {*at}, stop));
    if (!entries.front()) break;
    group.insert(group.begin(), entries.front());
    if (entries.front()->sap == 0 && at->segment.value > 0) {
      at = segments->find(at->epoch, SegmentNumber(at->segment.value - 1));
      continue;
    }
    auto next = segments->find(row.epoch, SegmentNumber(row.segment.value + 1));
    if (!next) return group;
    GOPLINE_ASSIGN(auto behind, entries_.get(view.state.partition, {*next}, stop));
    if (behind.front() && behind.front()->sap == kOpenGroup) group.push_back(behind.front());
    return group;
  }
  return fail(ErrorCode::kNotFound, "{}: the key frame that the picture needs is not there",
              view.state.stream);
}

Result<SnapshotPtr> Snapshots::make(const StreamView& view, const SegmentRow& row,
                                    std::optional<Timestamp> at, int max_width, const StopToken& stop) {
  GOPLINE_ASSIGN(auto group, group_of(view, row, stop));
  if (!at && group.back()->segment != row.segment) group.pop_back();
  std::vector<SegmentPtr> segments;
  for (const auto& entry : group) {
    GOPLINE_ASSIGN(auto segment, segments_.get(*entry, stop));
    segments.push_back(std::move(segment));
  }
  GOPLINE_ASSIGN(auto started, segments_.epoch_of(*group.back(), stop));
  GOPLINE_ASSIGN(auto main, main_track_in(segments, group, started.tracks));
  auto decoded = decode_at(main, at);
  if (!decoded) return fail_with_context(view.state.stream, decoded.error());
  Snapshot snapshot;
  GOPLINE_ASSIGN(snapshot.jpeg, media::to_jpeg(decoded->picture, media::orientation_of(main.track.side_data),
                                               main.track.codec.sample_aspect_ratio, max_width));
  snapshot.time = decoded->time;
  snapshot.tag = fmt::format("{}-{}-{}", row.epoch, decoded->time.time_since_epoch().count(), max_width);
  return std::make_shared<const Snapshot>(std::move(snapshot));
}

Result<SnapshotPtr> Snapshots::get(const std::string& stream, std::optional<Timestamp> at, int max_width,
                                   const StopToken& stop) {
  GOPLINE_ASSIGN(auto view, catalog_.find(stream));
  GOPLINE_ASSIGN(auto row, row_at(stream, at, stop));
  auto moment = at ? std::to_string(at->time_since_epoch().count()) : "key";
  auto key = fmt::format("{}-{}-{}-{} {}", row.epoch, row.segment, moment, max_width, stream);
  if (auto kept = look_up(key)) return kept;
  // Decoding takes processors from everybody; who waits for it takes a thread.
  if (waiting_.fetch_add(1) >= kMostWaiting) {
    --waiting_;
    return fail(ErrorCode::kUnavailable, "{}: too many pictures are asked for at once; try again", stream);
  }
  decoding_.acquire();
  auto kept = look_up(key);  // somebody else wanted the same
  auto made = kept ? Result<SnapshotPtr>(kept) : make(view, row, at, max_width, stop);
  decoding_.release();
  --waiting_;
  if (made) keep(key, *made);
  return made;
}

}  // namespace gopline::server
