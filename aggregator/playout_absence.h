#pragma once
#include "aggregator/follow/piece.h"
#include "aggregator/stream_item.h"

namespace gopline::aggregator {

// A gap of what is played, as readers are told of it.
Absence absence_of(const PlayoutGap& gap);

}  // namespace gopline::aggregator
