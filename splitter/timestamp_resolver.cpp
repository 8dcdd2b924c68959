#include "splitter/timestamp_resolver.h"

namespace gopline::splitter {
namespace {
constexpr std::size_t kMaxLookAhead = 512;
}

void TimestampResolver::push(media::Packet packet) {
  auto& track = tracks_[static_cast<std::size_t>(packet.track)];
  auto dts = packet.dts;
  if (dts && track.unresolved > 0) resolve_backwards(packet.track, *dts);
  if (!dts) ++track.unresolved;
  queue_.push_back({std::move(packet), dts});
}

void TimestampResolver::resolve_backwards(int track, std::int64_t dts) {
  auto& state = tracks_[static_cast<std::size_t>(track)];
  for (auto entry = queue_.rbegin(); entry != queue_.rend() && state.unresolved > 0; ++entry) {
    if (entry->packet.track != track || entry->dts) continue;
    dts -= entry->packet.duration;
    entry->dts = dts;
    --state.unresolved;
  }
}

std::optional<ResolvedPacket> TimestampResolver::pop(bool at_end) {
  if (queue_.empty()) return std::nullopt;
  auto& front = queue_.front();
  auto& track = tracks_[static_cast<std::size_t>(front.packet.track)];
  if (!front.dts) {
    if (!at_end && queue_.size() < kMaxLookAhead) return std::nullopt;
    front.dts = track.next_guess.value_or(front.packet.pts.value_or(0));
    --track.unresolved;
  }
  ResolvedPacket out{std::move(front.packet), *front.dts, 0};
  out.pts = out.packet.pts.value_or(out.dts);
  track.next_guess = out.dts + out.packet.duration;
  queue_.pop_front();
  return out;
}

}  // namespace gopline::splitter
