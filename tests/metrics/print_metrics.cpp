#include <cstdio>

#include "common/metrics/registry.h"
#include "splitter/live/metrics.h"
#include "splitter/metrics.h"

// Prints every metric of the program as /metrics would, with one live stream.
int main() {
  gopline::metrics::Registry registry;
  gopline::splitter::SplitterMetrics splitter(registry);
  gopline::splitter::LiveMetrics live(registry);
  auto stream = splitter.stream("lobby");
  auto source = live.source("lobby");
  std::fputs(registry.to_text().c_str(), stdout);
  return 0;
}
