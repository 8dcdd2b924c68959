#include <cstdio>

#include "common/metrics/registry.h"
#include "splitter/metrics.h"

// Prints every metric of the program as /metrics would, with one stream.
int main() {
  gopline::metrics::Registry registry;
  gopline::splitter::SplitterMetrics splitter(registry);
  auto stream = splitter.stream("lobby");
  std::fputs(registry.to_text().c_str(), stdout);
  return 0;
}
