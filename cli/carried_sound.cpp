#include "cli/carried_sound.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/base/rational.h"

namespace gopline::cli {
namespace {

// So far pictures and sound may be apart before somebody notices.
constexpr Duration kNoticeable = std::chrono::milliseconds(40);

}  // namespace

CarriedSound::CarriedSound(const std::vector<media::Track>& source, int first_index)
    : first_index_(first_index) {
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i].codec.type != media::MediaType::kAudio) continue;
    auto track = source[i];
    track.source_index = first_index + static_cast<int>(tracks_.size());
    track.id = track.source_index + 1;
    track.start_time.reset();
    track.duration.reset();
    tracks_.push_back(std::move(track));
    states_.push_back({static_cast<int>(i), std::nullopt, 0});
  }
}

void CarriedSound::begin(Timestamp start) {
  start_ = start;
  for (auto& state : states_) {
    state.shift.reset();
    state.end = 0;
  }
  auto end = waiting_.lower_bound(start);
  for (auto one = waiting_.begin(); one != end; ++one) waiting_bytes_ -= one->second.packet.data.size();
  waiting_.erase(waiting_.begin(), end);
}

void CarriedSound::push(const media::Packet& packet, Timestamp zero) {
  auto state = std::ranges::find(states_, packet.track, &State::source);
  auto ticks = packet.pts ? packet.pts : packet.dts;
  if (state == states_.end() || !ticks) return;
  const auto& track = tracks_[static_cast<std::size_t>(state - states_.begin())];
  waiting_bytes_ += packet.data.size();
  waiting_.emplace(zero + Duration(rescale(*ticks, track.time_base, kMicroseconds)), Waiting{packet, zero});
}

std::vector<media::Packet> CarriedSound::take(std::optional<Timestamp> before) {
  std::vector<media::Packet> packets;
  auto end = before ? waiting_.lower_bound(*before) : waiting_.end();
  for (auto one = waiting_.begin(); one != end; ++one) {
    waiting_bytes_ -= one->second.packet.data.size();
    if (auto packet = moved(std::move(one->second))) packets.push_back(std::move(*packet));
  }
  waiting_.erase(waiting_.begin(), end);
  return packets;
}

// nullopt: the clock was put back, and there is sound at this place already.
std::optional<media::Packet> CarriedSound::moved(Waiting waiting) {
  auto state = std::ranges::find(states_, waiting.packet.track, &State::source);
  auto index = static_cast<std::size_t>(state - states_.begin());
  const auto& base = tracks_[index].time_base;
  auto shift = rescale((waiting.zero - start_).count(), kMicroseconds, base);
  auto noticeable = rescale(kNoticeable.count(), kMicroseconds, base);
  if (!state->shift || std::abs(shift - *state->shift) > noticeable) state->shift = shift;
  auto packet = std::move(waiting.packet);
  packet.track = first_index_ + static_cast<int>(index);
  if (packet.pts) *packet.pts += *state->shift;
  if (packet.dts) *packet.dts += *state->shift;
  auto begin = packet.dts ? *packet.dts : *packet.pts;
  if (begin < state->end) return std::nullopt;
  state->end = begin + std::max<std::int64_t>(packet.duration, 1);
  return packet;
}

}  // namespace gopline::cli
