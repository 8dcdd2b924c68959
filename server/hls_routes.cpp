#include "server/hls_routes.h"

#include <algorithm>

#include "common/base/text.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostItems = 50'000;  // a day of segments of 2 s
constexpr std::size_t kMostInits = 1000;
constexpr std::size_t kLiveRows = 64;
constexpr Duration kLiveWindow = std::chrono::seconds(30);
constexpr std::size_t kLeastLiveItems = 4;
constexpr const char* kForEver = "private, max-age=31536000, immutable";  // names never mean anything else
constexpr std::size_t kSearchStep = 500;
constexpr Duration kRedirectTime = std::chrono::minutes(5);  // for who was sent elsewhere to arrive there
constexpr std::string_view kPart = ".m4s";

http::Response playlist_response(const Playlist& playlist) {
  auto response = http::respond(200, "application/vnd.apple.mpegurl", render(playlist));
  response.cache_control = playlist.is_vod ? "private, max-age=10" : "no-cache";
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

std::string without_ending(const std::string& heard) {
  return heard.substr(0, heard.size() - std::string_view(kHeard).size());
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

Result<Playlist> HlsRoutes::playlist_of(const StreamView& stream, const std::vector<SegmentRow>& rows,
                                        bool renumbered, bool with_sound, const StopToken& stop) {
  const auto& state = stream.state;
  GOPLINE_ASSIGN(auto entries, entries_.get(state.partition, rows, stop));
  GOPLINE_ASSIGN(auto kept, catalog_.log().offsets({catalog_.topics().segments, state.partition}));
  remember_inits(state.stream, entries);
  Playlist playlist;
  playlist.items = playlist_items(rows, entries, kept.begin, renumbered);
  if (heard_ && with_sound)
    name_heard(playlist.items, entries,
               [&](const record::IndexEntry& entry) { return heard_->has_sound(entry, stop); });
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

Result<http::Response> HlsRoutes::recorded(const std::string& stream, const http::RequestTarget& target,
                                           const Viewer& viewer, const StopToken& stop) {
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
  GOPLINE_ASSIGN(auto playlist, playlist_of(view, rows, true, true, stop));
  if (playlist.items.empty()) return fail(ErrorCode::kNotFound, "{}: retention has taken that time", stream);
  playlist.is_vod = playlist.has_ended = true;
  playlist.link = viewer.link();
  return playlist_response(playlist);
}

Result<http::Response> HlsRoutes::live(const std::string& stream, const http::RequestTarget& asked,
                                       const Viewer& viewer, const StopToken& stop) {
  GOPLINE_ASSIGN(auto view, catalog_.find(stream));
  auto since = view.last_time ? std::optional(*view.last_time - std::chrono::minutes(10)) : std::nullopt;
  GOPLINE_ASSIGN(auto segments, catalog_.segments(stream, since, stop));
  auto rows = segments->newest(kLiveRows);
  if (rows.empty()) return fail(ErrorCode::kNotFound, "{}: nothing has come yet", stream);
  Duration target{0};
  for (const auto& row : rows) target = std::max(target, row.duration);
  bool has_ended = view.state.ended == record::EndCause::kEndOfInput;
  // Parts come without: sound of a part would need that of the next one, and all of a playlist is alike.
  bool has_parts = !has_ended && !edge_.segments(stream).empty();
  GOPLINE_ASSIGN(auto playlist, playlist_of(view, live_window(std::move(rows)), false, !has_parts, stop));
  playlist.target = target;
  playlist.link = viewer.link();
  playlist.has_ended = has_ended;
  if (!playlist.has_ended) add_live_segments(playlist, edge_.segments(stream));
  if (asked.parameter("_HLS_skip") && playlist.part_target > Duration(0))
    playlist.skipped = skippable_items(playlist);
  return playlist_response(playlist);
}

void HlsRoutes::remember_inits(const std::string& stream, const std::vector<EntryPtr>& entries) {
  std::lock_guard lock(mutex_);
  if (inits_.size() > kMostInits) inits_.clear();
  for (const auto& entry : entries) {
    if (entry && !entry->init_xxh3.empty())
      inits_[{stream, entry->init_xxh3}] = entry;  // the newest is kept longest
  }
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
  auto name = path[2] == "parts" && path.size() == 4 && path[3].ends_with(kPart)
                  ? parse_part_name(std::string_view(path[3]).substr(0, path[3].size() - kPart.size()))
                  : std::nullopt;
  if (!name) return then();
  // The segment behind the newest one is the only one that is not there, and worth waiting for.
  auto segments = edge_.segments(stream);
  if (segments.empty() || segments.back().headers.epoch != name->epoch) return then();
  auto ahead = name->segment.value - segments.back().headers.segment.value;
  if (ahead < 0 || ahead > 1) return then();
  edge_.await(stream, LivePoint{segments.back().headers.ordinal.value + ahead, name->part}, std::move(then),
              stop);
}

std::optional<LiveSegment> HlsRoutes::live_segment(const std::string& stream, EpochNumber epoch,
                                                   SegmentNumber number) {
  for (auto& segment : edge_.segments(stream)) {
    if (segment.headers.epoch == epoch && segment.headers.segment == number) return std::move(segment);
  }
  return std::nullopt;
}

Result<ServedMedia> HlsRoutes::part(const std::string& stream, const std::string& file) {
  GOPLINE_ASSIGN(auto stem, stem_of(file, kPart));
  auto name = parse_part_name(stem);
  auto segment = name ? live_segment(stream, name->epoch, name->segment) : std::nullopt;
  if (!segment || name->part >= std::ssize(segment->parts))
    return fail(ErrorCode::kNotFound, "{}: there is no part {} now", stream, stem);
  const auto& part = segment->parts[static_cast<std::size_t>(name->part)];
  return ServedMedia{media_response("video/iso.segment", part.fragments, stem), segment->headers.time};
}

// A server that has not made the playlist looks for a segment that has the init, from the newest on.
Result<EntryPtr> HlsRoutes::entry_with_init(const std::string& stream, const std::string& hash,
                                            const StopToken& stop) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = inits_.find({stream, hash}); found != inits_.end()) return found->second;
  }
  GOPLINE_ASSIGN(auto view, catalog_.find(stream));
  GOPLINE_ASSIGN(auto segments, catalog_.segments(stream, std::nullopt, stop));
  auto rows = segments->between(std::nullopt, std::nullopt);
  while (!rows.empty()) {
    auto count = std::min(kSearchStep, rows.size());
    std::vector<SegmentRow> newest(rows.end() - static_cast<std::ptrdiff_t>(count), rows.end());
    rows.resize(rows.size() - count);
    GOPLINE_ASSIGN(auto entries, entries_.get(view.state.partition, newest, stop));
    for (const auto& entry : entries) {
      if (!entry || entry->init_xxh3 != hash) continue;
      remember_inits(stream, {entry});
      return entry;
    }
  }
  return fail(ErrorCode::kNotFound, "{}: no segment begins with init {}", stream, hash);
}

Result<http::Response> HlsRoutes::init(const std::string& stream, const std::string& file,
                                       const StopToken& stop) {
  GOPLINE_ASSIGN(auto hash, stem_of(file, ".mp4"));
  if (heard_ && hash.ends_with(kHeard)) {
    GOPLINE_ASSIGN(auto entry, entry_with_init(stream, without_ending(hash), stop));
    GOPLINE_ASSIGN(auto init, heard_->init(*entry, stop));
    return media_response("video/mp4", BufferChain(init), hash);
  }
  for (const auto& live : edge_.segments(stream)) {
    if (live.init_xxh3 == hash) return media_response("video/mp4", BufferChain(live.init), hash);
  }
  GOPLINE_ASSIGN(auto entry, entry_with_init(stream, hash, stop));
  GOPLINE_ASSIGN(auto segment, segments_.get(*entry, stop));
  if (segment->tracks.track_ids.empty())
    return fail(ErrorCode::kUnsupported, "{}: no browser plays any of its tracks", stream);
  return media_response("video/mp4", BufferChain(segment->tracks.init), hash);
}

Result<EntryPtr> HlsRoutes::entry_of(const StreamView& stream, const SegmentRow& row, const StopToken& stop) {
  GOPLINE_ASSIGN(auto entries, entries_.get(stream.state.partition, {row}, stop));
  if (!entries.front())
    return fail(ErrorCode::kNotFound, "{}: that segment's index entry is gone", stream.state.stream);
  return entries.front();
}

Result<ServedMedia> HlsRoutes::segment(const std::string& stream, const std::string& file,
                                       const StopToken& stop) {
  GOPLINE_ASSIGN(auto name, stem_of(file, ".m4s"));
  if (heard_ && name.ends_with(kHeard)) return heard_segment(stream, name, stop);
  auto place = parse_segment_name(name);
  if (!place) return fail(ErrorCode::kNotFound, "there is no segment {}", name);
  if (auto live = live_segment(stream, place->first, place->second); live && live->is_complete) {
    BufferChain bytes;
    for (const auto& part : live->parts) bytes.append(part.fragments);
    return ServedMedia{media_response("video/iso.segment", std::move(bytes), name), live->headers.time};
  }
  GOPLINE_ASSIGN(auto entry, entry_named(stream, name, stop));
  GOPLINE_ASSIGN(auto segment, segments_.get(*entry, stop));
  return ServedMedia{media_response("video/iso.segment", segment->fragments, name), entry->time};
}

Result<ServedMedia> HlsRoutes::heard_segment(const std::string& stream, const std::string& name,
                                             const StopToken& stop) {
  GOPLINE_ASSIGN(auto entry, entry_named(stream, without_ending(name), stop));
  GOPLINE_ASSIGN(auto bytes, heard_->segment(*entry, entry_before(*entry, stop), stop));
  return ServedMedia{media_response("video/iso.segment", std::move(bytes), name), entry->time};
}

// The entry that this one follows on without a break; nullptr: none.
EntryPtr HlsRoutes::entry_before(const record::IndexEntry& entry, const StopToken& stop) {
  if (entry.segment.value == 0) return nullptr;
  auto before =
      entry_named(entry.stream, segment_name(entry.epoch, SegmentNumber(entry.segment.value - 1)), stop);
  bool follows = before && (*before)->init_xxh3 == entry.init_xxh3 &&
                 (*before)->discontinuities == entry.discontinuities;
  return follows ? *before : nullptr;
}

Result<EntryPtr> HlsRoutes::entry_named(const std::string& stream, const std::string& name,
                                        const StopToken& stop) {
  auto place = parse_segment_name(name);
  if (!place) return fail(ErrorCode::kNotFound, "there is no segment {}", name);
  GOPLINE_ASSIGN(auto view, catalog_.find(stream));
  // The newest are asked for most; who seeks far back has asked for a playlist from there.
  auto since = view.last_time ? std::optional(*view.last_time - std::chrono::minutes(10)) : std::nullopt;
  GOPLINE_ASSIGN(auto segments, catalog_.segments(stream, since, stop));
  auto row = segments->find(place->first, place->second);
  if (!row) {
    GOPLINE_ASSIGN(segments, catalog_.segments(stream, std::nullopt, stop));
    row = segments->find(place->first, place->second);
  }
  if (!row) return fail(ErrorCode::kNotFound, "{}: there is no segment {}", stream, name);
  return entry_of(view, *row, stop);
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
  GOPLINE_ASSIGN(auto entry, entry_named(stream, name, stop));
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
  return ServedMedia{media_response("video/mp4", BufferChain(segment->bytes), "stored-" + name), entry->time};
}

}  // namespace gopline::server
