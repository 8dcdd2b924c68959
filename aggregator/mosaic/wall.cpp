#include "aggregator/mosaic/wall.h"

#include <algorithm>

namespace gopline::aggregator {

Wall::Wall(std::size_t tiles, Axis axis, WallOptions options)
    : axis_(axis), options_(options), tiles_(tiles) {}

void Wall::push(std::size_t index, Showing showing, SteadyTime now) {
  auto& tile = tiles_[index];
  tile.known_until = std::max(tile.known_until.value_or(showing.end), showing.end);
  if (options_.from && showing.end <= *options_.from) return;
  if (next_ && showing.end <= *next_) {
    ++tile.stats.late;
    tile.lost_since = showing.until;
    return;
  }
  tile.given_up = false;
  if (tile.arrivals.size() > 1 && tile.arrivals.back().at == now) tile.arrivals.pop_back();
  tile.arrivals.push_back({showing.end, now});
  tile.bytes += showing.picture.bytes();
  tile.waiting.push_back(std::move(showing));
}

void Wall::finish(std::size_t tile) {
  tiles_[tile].finished = true;
}

bool Wall::is_known(const Tile& tile, std::int64_t instant) const {
  return tile.finished || (tile.known_until && *tile.known_until > instant);
}

// The one that pop() is about; before the first one that is the earliest that anything is known of.
std::optional<std::int64_t> Wall::instant_in_hand() const {
  auto instant = next_;
  if (!instant) {
    for (const auto& tile : tiles_) {
      if (tile.waiting.empty()) continue;
      instant = std::min(instant.value_or(tile.waiting.front().begin), tile.waiting.front().begin);
    }
    if (instant && options_.from) instant = std::max(*instant, *options_.from);
  }
  if (instant && options_.until && *instant >= *options_.until) return std::nullopt;
  bool any = std::ranges::any_of(
      tiles_, [&](const Tile& tile) { return !tile.waiting.empty() && tile.waiting.back().end > *instant; });
  return instant && any ? instant : std::nullopt;
}

// When the first stream came as far as the instant.
std::optional<SteadyTime> Wall::first_arrival(std::int64_t instant) const {
  std::optional<SteadyTime> first;
  for (const auto& tile : tiles_) {
    auto there = std::ranges::find_if(tile.arrivals, [&](const Arrival& one) { return one.until > instant; });
    if (there != tile.arrivals.end()) first = std::min(first.value_or(there->at), there->at);
  }
  return first;
}

std::optional<SteadyTime> Wall::next_due() const {
  auto instant = instant_in_hand();
  if (!instant || !options_.give_up) return std::nullopt;
  auto first = first_arrival(*instant);
  if (!first) return std::nullopt;
  return *first + *options_.give_up;
}

bool Wall::is_over() const {
  if (options_.until && next_ && *next_ >= *options_.until) return true;
  return std::ranges::all_of(tiles_, &Tile::finished) && !instant_in_hand();
}

bool Wall::can_pop(SteadyTime now) const {
  auto instant = instant_in_hand();
  if (!instant) return false;
  bool awaited = std::ranges::any_of(tiles_, [&](const Tile& tile) {
    // Where the output begins is known when everybody has come with something.
    return next_ ? is_awaited(tile, *instant) : !tile.finished && tile.waiting.empty();
  });
  auto due = next_due();
  return !awaited || (due && now >= *due);
}

std::optional<WallInstant> Wall::pop(SteadyTime now) {
  if (!can_pop(now)) return std::nullopt;
  auto instant = instant_in_hand();
  WallInstant out;
  out.instant = *instant;
  for (auto& tile : tiles_) {
    if (is_awaited(tile, *instant)) tile.given_up = true;
    out.tiles.push_back(view(tile, *instant));
  }
  next_ = *instant + 1;
  for (auto& tile : tiles_) pass(tile, *next_);
  return out;
}

TileView Wall::view(Tile& tile, std::int64_t instant) {
  pass(tile, instant);
  TileView view;
  view.has_signal = !tile.waiting.empty() && tile.waiting.front().begin <= instant;
  if (view.has_signal) {
    const auto& front = tile.waiting.front();
    view.picture = front.picture;
    view.time = front.time;
    if (!tile.front_was_shown) ++tile.stats.shown;
    tile.front_was_shown = true;
  } else {
    view.lost_since = tile.lost_since;
    ++tile.stats.blank;
    if (tile.has_signal) ++tile.stats.outages;
  }
  tile.has_signal = view.has_signal;
  return view;
}

// Drops what ends before the instant.
void Wall::pass(Tile& tile, std::int64_t instant) {
  while (!tile.waiting.empty() && tile.waiting.front().end <= instant) drop_front(tile);
  while (!tile.arrivals.empty() && tile.arrivals.front().until <= instant) tile.arrivals.pop_front();
}

void Wall::drop_front(Tile& tile) {
  const auto& front = tile.waiting.front();
  if (!tile.front_was_shown && !(options_.from && front.end <= *options_.from)) ++tile.stats.late;
  tile.front_was_shown = false;
  tile.lost_since = front.until;
  tile.bytes -= front.picture.bytes();
  tile.waiting.pop_front();
}

}  // namespace gopline::aggregator
