#include "server/hls_routes.h"

#include <algorithm>

#include "common/base/text.h"
#include "server/multivariant.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostItems = 50'000;  // a day of segments of 2 s
constexpr std::size_t kMostInits = 1000;
constexpr std::size_t kLiveRows = 64;
constexpr Duration kLiveWindow = std::chrono::seconds(30);
constexpr std::size_t kLeastLiveItems = 4;
constexpr const char* kForEver = "private, max-age=31536000, immutable";  // names never mean anything else
constexpr Duration kRedirectTime = std::chrono::minutes(5);  // for who was sent elsewhere to arrive there
constexpr std::string_view kPart = ".m4s";
constexpr std::int64_t kSoundBitRate = 192'000;  // that is transcoded, with what it is packed in

http::Response playlist_response(std::string text, bool is_vod) {
  auto response = http::respond(200, "application/vnd.apple.mpegurl", std::move(text));
  response.cache_control = is_vod ? "private, max-age=10" : "no-cache";
  return response;
}

http::Response media_response(std::string_view type, BufferChain bytes, std::string_view tag) {
  http::Response response;
  response.content_type = type;
  response.cache_control = kForEver;
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", tag));
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.body = std::move(bytes);
  return response;
}

// "NAME.mp4" without its ending. kNotFound for anything else.
Result<std::string> stem_of(const std::string& file, std::string_view ending) {
  if (file.size() > ending.size() && file.ends_with(ending))
    return file.substr(0, file.size() - ending.size());
  return fail(ErrorCode::kNotFound, "there is no {} here", file);
}

// "12-5-aac" without what stands behind the name.
std::string without_ending(const std::string& name, std::string_view ending) {
  return name.substr(0, name.size() - ending.size());
}

tl::unexpected<Error> not_for_browsers(const record::IndexEntry& entry) {
  return fail(ErrorCode::kUnsupported, "{}: epoch {} is stored as NUT, which no browser plays", entry.stream,
              entry.epoch);
}

// The window at the end that a live playlist shows.
std::vector<SegmentRow> live_window(std::vector<SegmentRow> rows) {
  Duration span{0};
  std::size_t count = 0;
  while (count < rows.size() && (span < kLiveWindow || count < kLeastLiveItems)) {
    span += rows[rows.size() - 1 - count].duration;
    ++count;
  }
  rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(count));
  return rows;
}

}  // namespace

Result<std::optional<Timestamp>> time_parameter(const http::RequestTarget& target, std::string_view name) {
  auto text = target.parameter(name);
  if (!text) return std::optional<Timestamp>();
  auto time = parse_rfc3339(*text);
  if (!time) {
    return fail(ErrorCode::kInvalidArgument, "{} is not a time: write it like 2026-11-22T18:30:00Z", name);
  }
  return std::optional(*time);
}

// What stands behind the names of an entry's init and segment, as that is transcoded for who wishes so.
std::string_view HlsRoutes::ending_of(const record::IndexEntry& entry, const Wish& wish,
                                      const StopToken& stop) {
  auto seen_as = seen_ ? seen_->seen_as(entry, stop) : SeenAs::kStored;
  if (seen_as == SeenAs::kTranscoded || (seen_as == SeenAs::kEither && wish.as_h264)) return kSeen;
  return heard_ && heard_->has_sound(entry, stop) ? kHeard : std::string_view();
}

Result<Playlist> HlsRoutes::playlist_of(const Stretch& stretch, const Wish& wish, const StopToken& stop) {
  const auto& state = stretch.view.state;
  GOPLINE_ASSIGN(auto entries, entries_.get(state.partition, stretch.rows, stop));
  GOPLINE_ASSIGN(auto kept, catalog_.log().offsets({catalog_.topics().segments, state.partition}));
  finder_.remember_inits(state.stream, entries);
  Playlist playlist;
  playlist.target = stretch.target;
  playlist.items = playlist_items(stretch.rows, entries, kept.begin, wish.renumbered);
  name_transcoded(playlist.items, entries,
                  [&](const record::IndexEntry& entry) { return ending_of(entry, wish, stop); });
  if (redirects_) {
    send_to_stores(playlist.items, entries,
                   [&](const record::IndexEntry& entry) { return init_size_to_skip(entry, stop); });
  }
  bool none =
      std::all_of(playlist.items.begin(), playlist.items.end(), [](const auto& i) { return i.is_gap; });
  if (none && !playlist.items.empty()) {
    return fail(
        ErrorCode::kUnsupported,
        "{}: this footage is stored in a form that no browser plays; `gopline aggregate` writes it to a file",
        state.stream);
  }
  return playlist;
}

Result<HlsRoutes::Stretch> HlsRoutes::recorded_stretch(const std::string& stream,
                                                       const http::RequestTarget& target,
                                                       const StopToken& stop) {
  GOPLINE_ASSIGN(auto from, time_parameter(target, "from"));
  GOPLINE_ASSIGN(auto to, time_parameter(target, "to"));
  if (from && to && *from >= *to)
    return fail(ErrorCode::kNotFound, "from is not before to: nothing lies between them");
  GOPLINE_ASSIGN(auto view, catalog_.find(stream));
  GOPLINE_ASSIGN(auto segments, catalog_.segments(stream, from, stop));
  auto rows = segments->between(from, to);
  if (rows.empty()) return fail(ErrorCode::kNotFound, "{}: nothing was recorded in that time", stream);
  if (rows.size() > kMostItems) {
    return fail(ErrorCode::kInvalidArgument,
                "{}: {} segments are too many for one playlist; ask for a shorter time", stream, rows.size());
  }
  return Stretch{std::move(view), std::move(rows), {}};
}

Result<HlsRoutes::Stretch> HlsRoutes::live_stretch(const std::string& stream, const StopToken& stop) {
  GOPLINE_ASSIGN(auto view, catalog_.find(stream));
  auto since = view.last_time ? std::optional(*view.last_time - std::chrono::minutes(10)) : std::nullopt;
  GOPLINE_ASSIGN(auto segments, catalog_.segments(stream, since, stop));
  auto rows = segments->newest(kLiveRows);
  if (rows.empty()) return fail(ErrorCode::kNotFound, "{}: nothing has come yet", stream);
  Duration target{0};
  for (const auto& row : rows) target = std::max(target, row.duration);
  return Stretch{std::move(view), live_window(std::move(rows)), target};
}

Result<bool> HlsRoutes::wants_h264(const http::RequestTarget& target) const {
  auto text = target.parameter("video");
  if (!text) return false;
  if (*text != "h264") return fail(ErrorCode::kInvalidArgument, "video is h264, or is left out");
  if (!seen_) return fail(ErrorCode::kUnsupported, "this server does not transcode");
  return true;
}

Result<http::Response> HlsRoutes::recorded(const std::string& stream, const http::RequestTarget& target,
                                           const Viewer& viewer, const StopToken& stop) {
  Wish wish;
  wish.renumbered = true;
  GOPLINE_ASSIGN(wish.as_h264, wants_h264(target));
  GOPLINE_ASSIGN(auto stretch, recorded_stretch(stream, target, stop));
  GOPLINE_ASSIGN(auto playlist, playlist_of(stretch, wish, stop));
  if (playlist.items.empty()) return fail(ErrorCode::kNotFound, "{}: retention has taken that time", stream);
  playlist.is_vod = playlist.has_ended = true;
  playlist.link = viewer.link();
  return playlist_response(render(playlist), true);
}

// Pictures are transcoded by the segment: a part would have to wait for its key frame.
bool HlsRoutes::has_parts(const Stretch& stretch, bool as_h264, const StopToken& stop) {
  const auto& state = stretch.view.state;
  if (edge_.segments(state.stream).empty()) return false;
  auto newest = entries_.get(state.partition, {stretch.rows.back()}, stop);
  if (!newest || !newest->front()) return true;
  return ending_of(*newest->front(), {false, as_h264}, stop) != kSeen;
}

Result<http::Response> HlsRoutes::live(const std::string& stream, const http::RequestTarget& target,
                                       const Viewer& viewer, const StopToken& stop) {
  Wish wish;
  GOPLINE_ASSIGN(wish.as_h264, wants_h264(target));
  GOPLINE_ASSIGN(auto stretch, live_stretch(stream, stop));
  bool has_ended = stretch.view.state.ended == record::EndCause::kEndOfInput;
  bool in_parts = !has_ended && has_parts(stretch, wish.as_h264, stop);
  GOPLINE_ASSIGN(auto playlist, playlist_of(stretch, wish, stop));
  playlist.link = viewer.link();
  playlist.has_ended = has_ended;
  if (in_parts) {
    add_live_segments(playlist, edge_.segments(stream), [&](const LiveSegment& segment) {
      return heard_parts_ && heard_parts_->has_sound(segment) ? kHeard : std::string_view();
    });
  }
  if (target.parameter("_HLS_skip") && playlist.part_target > Duration(0))
    playlist.skipped = skippable_items(playlist);
  return playlist_response(render(playlist), false);
}

Result<http::Response> HlsRoutes::watch(const std::string& stream, const http::RequestTarget& target,
                                        const Viewer& viewer, const StopToken& stop) {
  GOPLINE_ASSIGN(auto from, time_parameter(target, "from"));
  GOPLINE_ASSIGN(auto to, time_parameter(target, "to"));
  bool is_live = !from && !to;
  GOPLINE_ASSIGN(auto stretch, is_live ? live_stretch(stream, stop) : recorded_stretch(stream, target, stop));
  GOPLINE_ASSIGN(auto entries, entries_.get(stretch.view.state.partition, stretch.rows, stop));
  std::string query;
  if (from) query += "&from=" + format_rfc3339(*from);
  if (to) query += "&to=" + format_rfc3339(*to);
  if (!viewer.link().empty()) query += "&link=" + std::string(viewer.link());
  std::string address = is_live ? "live.m3u8" : "hls.m3u8";
  Variant stored{address + (query.empty() ? "" : "?" + query.substr(1)), 0, {}, 0, 0};
  Variant as_h264{address + "?video=h264" + query, 0, {}, 0, 0};
  bool has_either = false;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i]) continue;
    auto duration = std::max<std::int64_t>(stretch.rows[i].duration.count(), 1);
    auto bits = rescale(static_cast<std::int64_t>(entries[i]->size) * 8, {1'000'000, 1}, {duration, 1});
    auto found = seen_ ? seen_->facts(*entries[i], stop) : Result<SeenSegments::Facts>();
    if (!found) continue;  // it is left to who asks for it
    auto transcoded = found->most_bit_rate + found->most_bit_rate / 2 + kSoundBitRate;
    has_either = has_either || found->seen_as == SeenAs::kEither;
    stored.need_bandwidth(found->seen_as == SeenAs::kTranscoded ? transcoded : bits);
    as_h264.need_bandwidth(found->seen_as == SeenAs::kStored ? bits : transcoded);
    stored.need_codecs(found->codecs);
    as_h264.need_codecs(found->seen_as == SeenAs::kStored ? found->codecs : found->transcoded);
    if (found->width == 0) continue;
    stored.width = as_h264.width = found->width;
    stored.height = as_h264.height = found->height;
  }
  std::vector<Variant> variants{stored};
  if (has_either) variants.push_back(as_h264);
  return playlist_response(render(variants), !is_live);
}

void HlsRoutes::when_there(const http::RequestTarget& target, std::function<void()> then,
                           const StopToken& stop) {
  const auto& path = target.path;
  const auto& stream = path[1];
  if (path[2] == "live.m3u8") {
    std::optional<LivePoint> point;
    auto ordinal = parse_int64(target.parameter("_HLS_msn").value_or(""));
    auto part = parse_int64(target.parameter("_HLS_part").value_or(""));
    if (ordinal) point = LivePoint{*ordinal, part ? std::optional(*part) : std::nullopt};
    return edge_.await(stream, point, std::move(then), stop);
  }
  std::string_view file = path[2] == "parts" && path.size() == 4 ? path[3] : std::string_view();
  if (!file.ends_with(kPart)) return then();
  file.remove_suffix(kPart.size());
  if (file.ends_with(kHeard)) file.remove_suffix(kHeard.size());
  auto name = parse_part_name(file);
  if (!name) return then();
  // The segment behind the newest one is the only one that is not there, and worth waiting for.
  auto segments = edge_.segments(stream);
  if (segments.empty() || segments.back().headers.epoch != name->epoch) return then();
  auto ahead = name->segment.value - segments.back().headers.segment.value;
  if (ahead < 0 || ahead > 1) return then();
  edge_.await(stream, LivePoint{segments.back().headers.ordinal.value + ahead, name->part}, std::move(then),
              stop);
}

std::optional<HlsRoutes::LivePlace> HlsRoutes::live_place(const std::string& stream, EpochNumber epoch,
                                                          SegmentNumber number) {
  LivePlace place{edge_.segments(stream)};
  for (; place.at < place.segments.size(); ++place.at) {
    const auto& headers = place.segments[place.at].headers;
    if (headers.epoch == epoch && headers.segment == number) return place;
  }
  return std::nullopt;
}

Result<ServedMedia> HlsRoutes::part(const std::string& stream, const std::string& file,
                                    const StopToken& stop) {
  GOPLINE_ASSIGN(auto stem, stem_of(file, kPart));
  bool is_heard = heard_parts_ && stem.ends_with(kHeard);
  auto name = parse_part_name(is_heard ? without_ending(stem, kHeard) : stem);
  auto place = name ? live_place(stream, name->epoch, name->segment) : std::nullopt;
  if (!place || name->part >= std::ssize(place->segments[place->at].parts))
    return fail(ErrorCode::kNotFound, "{}: there is no part {} now", stream, stem);
  const auto& segment = place->segments[place->at];
  auto number = static_cast<std::size_t>(name->part);
  auto bytes = segment.parts[number].fragments;
  if (is_heard) {
    GOPLINE_ASSIGN(bytes, heard_parts_->part(place->segments, place->at, number, stop));
  }
  return ServedMedia{media_response("video/iso.segment", std::move(bytes), stem), segment.headers.time};
}

Result<http::Response> HlsRoutes::init(const std::string& stream, const std::string& file,
                                       const StopToken& stop) {
  GOPLINE_ASSIGN(auto hash, stem_of(file, ".mp4"));
  if (seen_ && hash.ends_with(kSeen)) {
    GOPLINE_ASSIGN(auto entry, finder_.with_init(stream, without_ending(hash, kSeen), stop));
    GOPLINE_ASSIGN(auto init, seen_->init(*entry, stop));
    return media_response("video/mp4", BufferChain(init), hash);
  }
  if (heard_ && hash.ends_with(kHeard)) {
    auto stored_hash = without_ending(hash, kHeard);
    for (const auto& live : edge_.segments(stream)) {
      if (live.init_xxh3 != stored_hash) continue;
      GOPLINE_ASSIGN(auto init, heard_parts_->init(live));
      return media_response("video/mp4", BufferChain(init), hash);
    }
    GOPLINE_ASSIGN(auto entry, finder_.with_init(stream, stored_hash, stop));
    GOPLINE_ASSIGN(auto init, heard_->init(*entry, stop));
    return media_response("video/mp4", BufferChain(init), hash);
  }
  for (const auto& live : edge_.segments(stream)) {
    if (live.init_xxh3 == hash) return media_response("video/mp4", BufferChain(live.init), hash);
  }
  GOPLINE_ASSIGN(auto entry, finder_.with_init(stream, hash, stop));
  GOPLINE_ASSIGN(auto segment, segments_.get(*entry, stop));
  if (segment->tracks.track_ids.empty())
    return fail(ErrorCode::kUnsupported, "{}: no browser plays any of its tracks", stream);
  return media_response("video/mp4", BufferChain(segment->tracks.init), hash);
}

Result<ServedMedia> HlsRoutes::segment(const std::string& stream, const std::string& file,
                                       const StopToken& stop) {
  GOPLINE_ASSIGN(auto name, stem_of(file, ".m4s"));
  if (heard_ && name.ends_with(kHeard)) return heard_segment(stream, name, stop);
  auto place = parse_segment_name(name);
  if (!place) return fail(ErrorCode::kNotFound, "there is no segment {}", name);
  if (auto live = live_place(stream, place->first, place->second)) {
    const auto& segment = live->segments[live->at];
    BufferChain bytes;
    for (const auto& part : segment.parts) bytes.append(part.fragments);
    if (segment.is_complete)
      return ServedMedia{media_response("video/iso.segment", std::move(bytes), name), segment.headers.time};
  }
  GOPLINE_ASSIGN(auto entry, finder_.named(stream, name, stop));
  GOPLINE_ASSIGN(auto segment, segments_.get(*entry, stop));
  if (segment->is_nut) return not_for_browsers(*entry);
  return ServedMedia{media_response("video/iso.segment", segment->fragments, name), entry->time};
}

bool HlsRoutes::is_transcoded(const http::RequestTarget& target) const {
  const auto& path = target.path;
  return seen_ && path.size() == 4 && path[0] == "streams" && path[2] == "segments" &&
         path[3].ends_with(std::string(kSeen) + ".m4s");
}

void HlsRoutes::transcoded(const std::string& stream, const std::string& file, const StopToken& gone,
                           const StopToken& stop, std::function<void(Result<ServedMedia>)> then) {
  auto name = file.substr(0, file.rfind('.'));
  auto entry = finder_.named(stream, without_ending(name, kSeen), stop);
  if (!entry) return then(tl::unexpected<Error>(std::move(entry.error())));
  seen_->segment(*entry, gone, stop, [then, name, time = (*entry)->time](Result<BufferChain> bytes) {
    if (!bytes) return then(tl::unexpected<Error>(std::move(bytes.error())));
    then(ServedMedia{media_response("video/iso.segment", std::move(*bytes), name), time});
  });
}

Result<ServedMedia> HlsRoutes::heard_segment(const std::string& stream, const std::string& name,
                                             const StopToken& stop) {
  auto stored_name = without_ending(name, kHeard);
  auto place = parse_segment_name(stored_name);
  auto live = place ? live_place(stream, place->first, place->second) : std::nullopt;
  if (live && live->segments[live->at].is_complete) {
    GOPLINE_ASSIGN(auto bytes, heard_parts_->segment(live->segments, live->at, stop));
    auto time = live->segments[live->at].headers.time;
    return ServedMedia{media_response("video/iso.segment", std::move(bytes), name), time};
  }
  GOPLINE_ASSIGN(auto entry, finder_.named(stream, stored_name, stop));
  GOPLINE_ASSIGN(auto bytes, heard_->segment(*entry, finder_.before(*entry, stop), stop));
  return ServedMedia{media_response("video/iso.segment", std::move(bytes), name), entry->time};
}

// Of an init that was not met yet a segment is read to see which tracks it has. What cannot be read is left
// to who asks for it.
std::uint64_t HlsRoutes::init_size_to_skip(const record::IndexEntry& entry, const StopToken& stop) {
  InitKey key{entry.stream, entry.init_xxh3};
  {
    std::lock_guard lock(mutex_);
    if (auto found = init_sizes_.find(key); found != init_sizes_.end()) return found->second;
  }
  auto segment = segments_.get(entry, stop);
  if (!segment) return 0;
  auto size = (*segment)->tracks.all ? (*segment)->tracks.init_size : 0;
  std::lock_guard lock(mutex_);
  if (init_sizes_.size() > kMostInits) init_sizes_.clear();
  return init_sizes_[key] = size;
}

Result<ServedMedia> HlsRoutes::stored(const std::string& stream, const std::string& file, bool may_redirect,
                                      const StopToken& stop) {
  GOPLINE_ASSIGN(auto name, stem_of(file, ".mp4"));
  GOPLINE_ASSIGN(auto entry, finder_.named(stream, name, stop));
  if (redirects_ && may_redirect && !entry->dataref.empty() && entry->offsets.size() == 1) {
    auto url = segments_.url_of(*entry, kRedirectTime);
    if (url) {
      auto response = http::refuse(307, "its store has it");
      response.headers.emplace_back("Location", *url);
      return ServedMedia{std::move(response), entry->time};
    }
    if (url.error().code != ErrorCode::kUnsupported) return tl::unexpected<Error>(std::move(url.error()));
  }
  GOPLINE_ASSIGN(auto segment, segments_.get(*entry, stop));
  if (segment->is_nut) return not_for_browsers(*entry);
  return ServedMedia{media_response("video/mp4", BufferChain(segment->bytes), "stored-" + name), entry->time};
}

}  // namespace gopline::server
