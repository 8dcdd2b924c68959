#include <cstdio>

#include "aggregator/reader_metrics.h"
#include "aggregator/recorder/recorder_metrics.h"
#include "common/metrics/registry.h"
#include "server/server_metrics.h"
#include "splitter/live/metrics.h"
#include "splitter/metrics.h"

// Prints every metric of the program as /metrics would, with one live stream that is followed and recorded,
// and a server.
int main() {
  gopline::metrics::Registry registry;
  gopline::splitter::SplitterMetrics splitter(registry);
  gopline::splitter::LiveMetrics live(registry);
  gopline::aggregator::AggregatorMetrics reader(registry);
  gopline::aggregator::RecorderMetrics recorder(registry);
  gopline::server::ServerMetrics server(registry);
  auto stream = splitter.stream("lobby");
  auto source = live.source("lobby");
  auto followed = reader.stream("lobby");
  auto recorded = recorder.stream("lobby");
  std::fputs(registry.to_text().c_str(), stdout);
  return 0;
}
