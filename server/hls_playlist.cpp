#include "server/hls_playlist.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "common/base/text.h"

namespace gopline::server {
namespace {

constexpr Duration kPartStep = std::chrono::milliseconds(50);
constexpr std::int64_t kSkipTargets = 6;     // what is older than so many target durations may be skipped
constexpr std::int64_t kMostMissing = 1000;  // more in one place are no gap that anybody plays through

double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

bool is_kept(const record::IndexEntry& entry, Offset kept) {
  return !entry.offsets.empty() && *std::min_element(entry.offsets.begin(), entry.offsets.end()) >= kept;
}

class ItemMaker {
 public:
  ItemMaker(Offset kept, bool renumbered) : kept_(kept), renumbered_(renumbered) {}

  void add(const SegmentRow& row, const EntryPtr& entry) {
    if (row.late && !renumbered_) return;
    bool there = entry && is_kept(*entry, kept_);
    if (!there && items_.empty()) return;
    if (!row.late && last_ && !last_->late) fill_hole(*last_, row);
    PlaylistItem item;
    item.ordinal = renumbered_ ? static_cast<std::int64_t>(items_.size()) : row.ordinal.value;
    item.discontinuities = discontinuities_of(row, entry);
    item.time = row.time;
    item.duration = row.duration;
    item.is_foreign = there && entry->init_xxh3.empty();
    item.is_gap = !there || item.is_foreign;
    item.is_independent = !there || entry->sap != 0;
    if (!item.is_gap) item.init_uri = fmt::format("init/{}.mp4", entry->init_xxh3);
    item.uri = fmt::format("segments/{}.m4s", segment_name(row.epoch, row.segment));
    items_.push_back(std::move(item));
    last_ = row;
    if (entry) last_entry_ = entry;
  }

  std::vector<PlaylistItem> take() { return std::move(items_); }

 private:
  // By the records' own count; where playing order is another than theirs, a count of our own.
  std::int64_t discontinuities_of(const SegmentRow& row, const EntryPtr& entry) {
    if (!last_) return count_ = entry ? entry->discontinuities : 0;
    bool in_order = !row.late && !last_->late && last_->ordinal < row.ordinal && entry && last_entry_;
    if (in_order) {
      count_ += std::max<std::int64_t>(entry->discontinuities - last_entry_->discontinuities, 0);
    } else if (entry) {
      ++count_;
    }
    return count_;
  }

  // Ordinals without a segment: it was lost, or never finished.
  void fill_hole(const SegmentRow& before, const SegmentRow& after) {
    auto missing = after.ordinal.value - before.ordinal.value - 1;
    if (missing <= 0 || missing > kMostMissing) return;
    auto span = std::max(after.time - before.end(), Duration(0));
    auto each = std::clamp<Duration>(span / missing, std::chrono::milliseconds(1), before.duration);
    for (std::int64_t i = 0; i < missing; ++i) {
      PlaylistItem item;
      item.ordinal = renumbered_ ? static_cast<std::int64_t>(items_.size()) : before.ordinal.value + 1 + i;
      item.discontinuities = count_;
      item.time = before.end() + i * each;
      item.duration = each;
      item.uri = "segments/lost.m4s";
      item.is_gap = true;
      items_.push_back(std::move(item));
    }
  }

  const Offset kept_;
  const bool renumbered_;
  std::optional<SegmentRow> last_;
  EntryPtr last_entry_;  // that could be read
  std::int64_t count_ = 0;
  std::vector<PlaylistItem> items_;
};

void render_item(const PlaylistItem& item, const PlaylistItem* before, std::string_view query,
                 std::string& map, std::string& out) {
  auto jumps = before ? item.discontinuities - before->discontinuities : 0;
  for (std::int64_t i = 0; i < jumps; ++i) out += "#EXT-X-DISCONTINUITY\n";
  if (!item.init_uri.empty() && (item.init_uri != map || jumps > 0)) {
    map = item.init_uri;
    out += fmt::format("#EXT-X-MAP:URI=\"{}{}\"\n", map, query);
  }
  if (!before || jumps > 0 || item.is_gap != before->is_gap)
    out += fmt::format("#EXT-X-PROGRAM-DATE-TIME:{}\n", format_rfc3339(item.time));
  for (const auto& part : item.parts) {
    out += fmt::format("#EXT-X-PART:DURATION={:.6f},URI=\"{}{}\"{}\n", seconds(part.duration), part.uri,
                       query, part.is_independent ? ",INDEPENDENT=YES" : "");
  }
  if (item.is_open) return;
  if (item.is_gap) out += "#EXT-X-GAP\n";
  out += fmt::format("#EXTINF:{:.6f},\n", seconds(item.duration));
  if (item.size > 0) out += fmt::format("#EXT-X-BYTERANGE:{}@{}\n", item.size, item.at);
  out += fmt::format("{}{}\n", item.uri, query);
}

// Rounded to the nearest second no segment may be longer (RFC 8216bis, 4.4.3.1).
std::int64_t target_seconds_of(const Playlist& playlist) {
  auto target = playlist.target;
  for (const auto& item : playlist.items) target = std::max(target, item.duration);
  return std::max<std::int64_t>((target.count() + 999'999) / 1'000'000, 1);
}

// Of items at which something is.
template <typename Use>
void for_each_with_entry(std::vector<PlaylistItem>& items, const std::vector<EntryPtr>& entries, Use use) {
  std::map<std::string, EntryPtr> by_uri;
  for (const auto& entry : entries) {
    if (entry) by_uri[fmt::format("segments/{}.m4s", segment_name(entry->epoch, entry->segment))] = entry;
  }
  for (auto& item : items) {
    bool is_there = !item.is_gap || item.is_foreign;
    auto found = is_there ? by_uri.find(item.uri) : by_uri.end();
    if (found != by_uri.end()) use(item, *found->second);
  }
}

}  // namespace

std::vector<PlaylistItem> playlist_items(const std::vector<SegmentRow>& rows,
                                         const std::vector<EntryPtr>& entries, Offset kept, bool renumbered) {
  ItemMaker maker(kept, renumbered);
  for (std::size_t i = 0; i < rows.size(); ++i) maker.add(rows[i], entries[i]);
  return maker.take();
}

void send_to_stores(std::vector<PlaylistItem>& items, const std::vector<EntryPtr>& entries,
                    const std::function<std::uint64_t(const record::IndexEntry&)>& init_size) {
  for_each_with_entry(items, entries, [&](PlaylistItem& item, const record::IndexEntry& entry) {
    // In several pieces it is in none of them.
    if (item.is_gap || entry.dataref.empty() || entry.offsets.size() != 1) return;
    auto begin = init_size(entry);
    if (begin == 0 || begin >= entry.size) return;
    item.uri = fmt::format("stored/{}.mp4", segment_name(entry.epoch, entry.segment));
    item.at = begin;
    item.size = entry.size - begin;
  });
}

void name_transcoded(std::vector<PlaylistItem>& items, const std::vector<EntryPtr>& entries,
                     const std::function<std::string_view(const record::IndexEntry&)>& ending) {
  for_each_with_entry(items, entries, [&](PlaylistItem& item, const record::IndexEntry& entry) {
    auto end = ending(entry);
    if (end.empty()) return;
    item.init_uri = fmt::format("init/{}{}.mp4", init_name(entry), end);
    item.uri = fmt::format("segments/{}{}.m4s", segment_name(entry.epoch, entry.segment), end);
    item.is_gap = item.is_foreign = false;
    if (end == kSeen) item.is_independent = true;  // whatever it was before
  });
}

std::string init_name(const record::IndexEntry& entry) {
  return entry.init_xxh3.empty() ? fmt::format("epoch-{}", entry.epoch) : entry.init_xxh3;
}

void add_live_segments(Playlist& playlist, const std::vector<LiveSegment>& segments,
                       const std::function<std::string_view(const LiveSegment&)>& ending) {
  for (const auto& segment : segments) {
    const auto& headers = segment.headers;
    auto end = ending ? ending(segment) : std::string_view();
    auto uri = fmt::format("segments/{}{}.m4s", segment_name(headers.epoch, headers.segment), end);
    auto& items = playlist.items;
    auto item = std::find_if(items.begin(), items.end(), [&](const auto& one) { return one.uri == uri; });
    if (item == items.end()) {
      bool follows_on = !items.empty() && items.back().ordinal + 1 == headers.ordinal.value;
      if (!follows_on || headers.late) continue;
      PlaylistItem made;
      made.ordinal = headers.ordinal.value;
      made.discontinuities = headers.discontinuities;
      made.time = headers.time;
      made.duration = segment.is_complete ? segment.duration() : Duration(0);
      made.uri = uri;
      made.init_uri = fmt::format("init/{}{}.mp4", segment.init_xxh3, end);
      made.is_independent = segment.parts.front().is_independent;
      made.is_open = !segment.is_complete;
      item = items.insert(items.end(), std::move(made));
    }
    auto count = std::ssize(segment.parts);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto& part = segment.parts[static_cast<std::size_t>(i)];
      auto part_uri = fmt::format("parts/{}{}.m4s", part_name({headers.epoch, headers.segment, i}), end);
      item->parts.push_back({std::move(part_uri), part.duration, part.is_independent});
      playlist.part_target = std::max(playlist.part_target, part.duration);
    }
    PartName next{headers.epoch, headers.segment, count};
    if (segment.is_complete) next = {headers.epoch, SegmentNumber(headers.segment.value + 1), 0};
    if (item + 1 == items.end()) playlist.next_part = fmt::format("parts/{}{}.m4s", part_name(next), end);
  }
  // In steps, so that it stays what it is.
  playlist.part_target = (playlist.part_target + kPartStep - Duration(1)) / kPartStep * kPartStep;
}

std::size_t skippable_items(const Playlist& playlist) {
  auto until = Duration(std::chrono::seconds(kSkipTargets * target_seconds_of(playlist)));
  Duration behind{0};
  auto item = playlist.items.rbegin();
  for (; item != playlist.items.rend() && behind < until; ++item) {
    behind += item->duration;
    if (item->is_open)
      behind += std::accumulate(item->parts.begin(), item->parts.end(), Duration(0),
                                [](Duration sum, const auto& part) { return sum + part.duration; });
  }
  return static_cast<std::size_t>(playlist.items.rend() - item);
}

std::string render(const Playlist& playlist) {
  auto target_seconds = target_seconds_of(playlist);
  bool has_parts = playlist.part_target > Duration(0);
  auto out = fmt::format("#EXTM3U\n#EXT-X-VERSION:{}\n#EXT-X-TARGETDURATION:{}\n", has_parts ? 9 : 8,
                         target_seconds);
  if (has_parts) {
    auto part_target = seconds(playlist.part_target);
    out += fmt::format("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={:.3f},CAN-SKIP-UNTIL={}\n",
                       3 * part_target, kSkipTargets * target_seconds);
    out += fmt::format("#EXT-X-PART-INF:PART-TARGET={:.3f}\n", part_target);
  }
  // Not where a long GOP was cut, or a player would begin in its middle.
  if (std::all_of(playlist.items.begin(), playlist.items.end(),
                  [](const auto& i) { return i.is_independent; }))
    out += "#EXT-X-INDEPENDENT-SEGMENTS\n";
  if (playlist.is_vod) out += "#EXT-X-PLAYLIST-TYPE:VOD\n";
  const auto* first = playlist.items.empty() ? nullptr : &playlist.items.front();
  out += fmt::format("#EXT-X-MEDIA-SEQUENCE:{}\n", first ? first->ordinal : 0);
  if (first && first->discontinuities > 0)
    out += fmt::format("#EXT-X-DISCONTINUITY-SEQUENCE:{}\n", first->discontinuities);
  auto query = playlist.link.empty() ? "" : "?link=" + playlist.link;
  std::string map, unsaid;
  const PlaylistItem* before = nullptr;
  for (std::size_t i = 0; i < playlist.items.size(); ++i) {
    if (i == playlist.skipped && i > 0) out += fmt::format("#EXT-X-SKIP:SKIPPED-SEGMENTS={}\n", i);
    render_item(playlist.items[i], before, query, map, i < playlist.skipped ? unsaid : out);
    before = &playlist.items[i];
  }
  if (!playlist.next_part.empty() && !playlist.has_ended)
    out += fmt::format("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}{}\"\n", playlist.next_part, query);
  if (playlist.has_ended) out += "#EXT-X-ENDLIST\n";
  return out;
}

std::string segment_name(EpochNumber epoch, SegmentNumber segment) {
  return fmt::format("{}-{}", epoch, segment);
}

std::optional<std::pair<EpochNumber, SegmentNumber>> parse_segment_name(std::string_view name) {
  auto dash = name.find('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  auto epoch = parse_int64(name.substr(0, dash)), segment = parse_int64(name.substr(dash + 1));
  if (!epoch || !segment || *segment < 0 || *epoch < 0) return std::nullopt;
  return std::pair(EpochNumber(*epoch), SegmentNumber(*segment));
}

std::string part_name(const PartName& name) {
  return fmt::format("{}-{}", segment_name(name.epoch, name.segment), name.part);
}

std::optional<PartName> parse_part_name(std::string_view name) {
  auto dash = name.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto place = parse_segment_name(name.substr(0, dash));
  auto part = parse_int64(name.substr(dash + 1));
  if (!place || !part || *part < 0) return std::nullopt;
  return PartName{place->first, place->second, *part};
}

}  // namespace gopline::server
