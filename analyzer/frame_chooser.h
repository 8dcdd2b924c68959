#pragma once
#include <cstdint>
#include <span>

#include "analyzer/analyzer.h"
#include "common/base/rational.h"
#include "common/media/types.h"

namespace gopline::analyzer {

// Whether a packet's picture is one of those that were chosen. By its own times alone, so that every reader
// of a stream chooses alike, wherever it begins: of `rate` pictures a second those during which floor(t rate)
// changes, t being media time from the picture before to this one.
bool is_chosen(const FrameChoice& choice, const media::Packet& packet, Rational time_base);
// The same of several, as Frame::choices has them. One alone speaks for all.
std::uint32_t choices_of(std::span<const FrameChoice> choices, const media::Packet& packet,
                         Rational time_base);
// Whether nothing but pictures that need no other is chosen.
bool are_keys_alone(std::span<const FrameChoice> choices);

}  // namespace gopline::analyzer
