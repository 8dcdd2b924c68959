#include "server/entry_finder.h"

#include <algorithm>

#include "server/hls_playlist.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostRemembered = 1000;
constexpr std::size_t kSearchStep = 500;

}  // namespace

Result<EntryPtr> EntryFinder::named(const std::string& stream, const std::string& name,
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
  GOPLINE_ASSIGN(auto entries, entries_.get(view.state.partition, {*row}, stop));
  if (!entries.front()) return fail(ErrorCode::kNotFound, "{}: that segment's index entry is gone", stream);
  return entries.front();
}

EntryPtr EntryFinder::before(const record::IndexEntry& entry, const StopToken& stop) {
  if (entry.segment.value == 0) return nullptr;
  auto found = named(entry.stream, segment_name(entry.epoch, SegmentNumber(entry.segment.value - 1)), stop);
  bool follows =
      found && (*found)->init_xxh3 == entry.init_xxh3 && (*found)->discontinuities == entry.discontinuities;
  return follows ? *found : nullptr;
}

void EntryFinder::remember_inits(const std::string& stream, const std::vector<EntryPtr>& entries) {
  std::lock_guard lock(mutex_);
  if (inits_.size() > kMostRemembered) inits_.clear();
  for (const auto& entry : entries) {
    if (entry) inits_[{stream, init_name(*entry)}] = entry;  // the newest is kept longest
  }
}

// A server that has not made the playlist looks for a segment that has the init, from the newest on.
Result<EntryPtr> EntryFinder::with_init(const std::string& stream, const std::string& init,
                                        const StopToken& stop) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = inits_.find({stream, init}); found != inits_.end()) return found->second;
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
      if (!entry || init_name(*entry) != init) continue;
      remember_inits(stream, {entry});
      return entry;
    }
  }
  return fail(ErrorCode::kNotFound, "{}: no segment begins with init {}", stream, init);
}

}  // namespace gopline::server
