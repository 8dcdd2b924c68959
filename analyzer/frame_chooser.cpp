#include "analyzer/frame_chooser.h"

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

}  // namespace gopline::analyzer
