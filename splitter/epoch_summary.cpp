#include <algorithm>

#include "splitter/publisher.h"

namespace gopline::splitter {

void add_epoch(EpochSummary& sum, const EpochSummary& more) {
  sum.epoch = more.epoch;
  sum.late = more.late;
  sum.segments += more.segments;
  sum.bytes += more.bytes;
  for (const auto& [strategy, use] : more.strategies) {
    auto& into = sum.strategies[strategy];
    into.smallest = into.payloads == 0 ? use.smallest : std::min(into.smallest, use.smallest);
    into.largest = std::max(into.largest, use.largest);
    into.payloads += use.payloads;
    into.bytes += use.bytes;
    into.reason = use.reason;
  }
}

}  // namespace gopline::splitter
