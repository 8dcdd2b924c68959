#include "aggregator/join_placer.h"

#include <algorithm>

namespace gopline::aggregator {
namespace {

Duration in_time(std::int64_t ticks, Rational time_base) {
  return Duration(rescale(ticks, time_base, kMicroseconds));
}

std::int64_t ticks_of(const media::Packet& packet) {
  return (packet.dts ? packet.dts : packet.pts).value_or(0);
}

}  // namespace

Timestamp JoinPlacer::time_of(const media::Packet& packet) const {
  const auto& base = epoch_tracks_[static_cast<std::size_t>(packet.track)].time_base;
  return *zero_ + in_time(ticks_of(packet), base);
}

bool JoinPlacer::place(Timestamp time, const std::vector<media::Track>& tracks,
                       const std::vector<media::Packet>& packets) {
  epoch_tracks_ = tracks;
  auto main = media::main_track_of(tracks);
  auto first = std::ranges::find(packets, main, &media::Packet::track);
  bool went_on = zero_.has_value();
  bool moved = false;
  if (first != packets.end() || !zero_) {
    auto ticks = first == packets.end() ? 0 : first->pts.value_or(ticks_of(*first));
    auto zero = time - in_time(ticks, tracks[static_cast<std::size_t>(main)].time_base);
    moved = !zero_ || zero - *zero_ > kApart || *zero_ - zero > kApart;
    if (moved) zero_ = zero;
  }
  std::vector<bool> seen(ends_.size(), false);
  for (const auto& packet : packets) {
    auto track = static_cast<std::size_t>(packet.track);
    auto end = ends_[track];
    if (moved && !seen[track] && end) *zero_ += std::max(Duration(0), *end - time_of(packet));
    seen[track] = true;
  }
  for (const auto& packet : packets) {
    auto track = static_cast<std::size_t>(packet.track);
    auto end = time_of(packet) + in_time(packet.duration, tracks[track].time_base);
    ends_[track] = std::max(ends_[track].value_or(end), end);
  }
  return moved && went_on;
}

media::Packet JoinPlacer::placed(media::Packet packet, Timestamp origin) const {
  auto track = static_cast<std::size_t>(packet.track);
  const auto& from = epoch_tracks_[track].time_base;
  const auto& to = tracks_[track].time_base;
  auto shift = rescale((*zero_ - origin).count(), kMicroseconds, to);
  for (auto* time : {&packet.pts, &packet.dts}) {
    if (*time) **time = rescale(**time, from, to) + shift;
  }
  packet.duration = rescale(packet.duration, from, to);
  return packet;
}

}  // namespace gopline::aggregator
