#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/media/segment.h"
#include "common/media/types.h"
#include "common/record/markers.h"
#include "common/record/vocabulary.h"

namespace gopline::splitter {

// What a live source has for the log, in order.
struct EpochBegin {
  media::SourceInfo source;
  std::vector<media::Track> tracks;
  std::string init_xxh3;
  record::CaptureClock clock = record::CaptureClock::kArrival;
  bool repeats =
      false;  // what a spill needs to be read without what came before it; else nothing begins here
};
// Or a part of one.
struct LiveSegment {
  media::BuiltSegment segment;
  Timestamp time;     // capture time of its first main packet
  Timestamp end;      // and of its end
  SteadyTime read{};  // when its first packet came; of no meaning in another run
  record::CaptureClock clock = record::CaptureClock::kArrival;
};
struct EpochEnd {
  record::EndCause cause = record::EndCause::kSourceLost;
};
using OutboxItem = std::variant<EpochBegin, LiveSegment, record::GapFacts, EpochEnd>;

// With its place in the row. Numbers grow, by four: those between are for what has to be put before an item.
struct OutboxEntry {
  std::uint64_t number = 0;
  OutboxItem item;
};

struct DroppedGop {
  record::GapFacts gap;
  std::int64_t segments = 0;
  std::uint64_t bytes = 0;
};

}  // namespace gopline::splitter
