#pragma once
#include <memory>

#include "common/log/kafka/cluster.h"
#include "common/log/kafka/producers.h"

namespace gopline::kafka {

// Writes through the log's producers, within a budget of its own: what is unacknowledged is bounded in bytes,
// in whatever producer it waits. Thread-safe.
Result<std::unique_ptr<LogWriter>> make_kafka_writer(std::shared_ptr<Cluster> cluster,
                                                     std::shared_ptr<Producers> producers,
                                                     LogWriterOptions options);

}  // namespace gopline::kafka
