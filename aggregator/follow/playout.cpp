#include "aggregator/follow/playout.h"

#include <algorithm>

namespace gopline::aggregator {
namespace {

constexpr std::size_t kMostTimelines = 256;

}  // namespace

Resequencer::Taken Playout::push(Piece piece, SteadyTime arrival) {
  piece.arrival = arrival;
  Piece facts;
  facts.at = piece.at;
  facts.discontinuity = piece.discontinuity;
  facts.start = piece.start;
  facts.duration = piece.duration;
  auto taken = order_.push(std::move(piece));
  // What came too late counts most of all: the delay grows, and the next one is in time. A piece that came
  // twice says nothing of the way.
  bool known_timeline = drifts_.contains(timeline_of(facts));
  if (taken == Resequencer::Taken::kWaits || (taken == Resequencer::Taken::kLate && known_timeline))
    measure(facts, arrival);
  return taken;
}

void Playout::measure(const Piece& piece, SteadyTime arrival) {
  auto& drift = drifts_.try_emplace(timeline_of(piece), options_.drift).first->second;
  // Pieces of one that is forgotten are due at once.
  while (drifts_.size() > kMostTimelines && drifts_.begin()->first < timeline_of(piece)) {
    drifts_.erase(drifts_.begin());
  }
  drift.observe(piece.start + piece.duration, arrival);
  auto delay = std::chrono::duration_cast<Duration>(arrival - drift.earliest(piece.start));
  delay_.observe(delay, arrival);
}

std::optional<SteadyTime> Playout::next_due(SteadyTime now) const {
  auto next = order_.next();
  if (!next) return std::nullopt;
  if (!next->piece || (!options_.paced && !next->gives_up)) return now;
  auto drift = drifts_.find(timeline_of(*next->piece));
  if (drift == drifts_.end()) return now;
  return drift->second.earliest(next->piece->start) + delay_.at(now);
}

std::optional<PlayoutItem> Playout::pop(SteadyTime now) {
  auto due = next_due(now);
  if (!due || *due > now) return std::nullopt;
  auto item = order_.take();
  if (!item) return std::nullopt;
  if (const auto* out = std::get_if<PlayoutPiece>(&*item)) {
    // Timelines behind this one are not played any more.
    drifts_.erase(drifts_.begin(), drifts_.lower_bound(timeline_of(out->piece)));
  }
  return item;
}

PlayoutStats Playout::stats(SteadyTime now) const {
  PlayoutStats stats{order_.stats(), order_.waiting_bytes(), order_.waiting(), delay_.at(now), 0};
  if (!drifts_.empty()) stats.drift_ppm = drifts_.begin()->second.ppm();
  return stats;
}

}  // namespace gopline::aggregator
