#include "analyzer/frame_chooser.h"

#include <algorithm>

namespace gopline::analyzer {

bool is_chosen(const FrameChoice& choice, const media::Packet& packet, Rational time_base) {
  if (choice.kind == FrameChoice::Kind::kAll) return true;
  if (choice.kind == FrameChoice::Kind::kKey) return packet.is_key();
  auto pts = packet.pts ? packet.pts : packet.dts;
  if (!pts || packet.duration <= 0) return true;  // nobody knows better
  Rational slot{choice.rate.den, choice.rate.num};
  return floor_div(ticks_to_seconds(*pts, time_base), slot) !=
         floor_div(ticks_to_seconds(*pts - packet.duration, time_base), slot);
}

std::uint32_t choices_of(std::span<const FrameChoice> choices, const media::Packet& packet,
                         Rational time_base) {
  std::uint32_t chosen = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (is_chosen(choices[i], packet, time_base)) chosen |= 1U << i;
  }
  return choices.size() == 1 && chosen != 0 ? ~0U : chosen;
}

bool are_keys_alone(std::span<const FrameChoice> choices) {
  return !choices.empty() && std::ranges::all_of(choices, [](const FrameChoice& choice) {
    return choice.kind == FrameChoice::Kind::kKey;
  });
}

}  // namespace gopline::analyzer
