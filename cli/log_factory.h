#pragma once
#include <memory>

#include "cli/options.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/catalog/stream_directory.h"
#include "common/log/kafka/kafka_log.h"
#include "common/log/log.h"
#include "common/record/topics.h"

// The one place that knows which kinds of log there are.
namespace gopline::cli {

enum class LogUse {
  kWrite,   // makes the log where there is none
  kRead,    // kNotFound where there is none: reading must not leave an empty log behind
  kDerive,  // reads, and makes the log of events where that is another and there is none
};

// Opens what --log names, with --index-log and --events-log beside it. The error says which log, what is
// wrong, and what to write instead. `stop` ends waiting for a log that is away.
Result<std::unique_ptr<Log>> open_log(const LogOptions& options, LogUse use, StopToken stop = {});

// What --log, --kafka-config and the environment say of a Kafka cluster; kInvalidArgument when the log is
// none.
bool is_kafka(const LogOptions& options);
Result<KafkaLogOptions> kafka_options(const LogOptions& options, StopToken stop = {});

// The namespace: of --namespace or of a Kafka log's URL, else the default. kInvalidArgument when both name
// one, and not the same.
Result<std::string> namespace_of(const LogOptions& options);
Result<std::string> files_namespace_of(const LogOptions& options);  // where files lie beside it
Result<record::Topics> topics_of(const LogOptions& options);

// A log with what it says of its streams.
struct OpenedLog {
  std::unique_ptr<Log> log;
  record::Topics topics;
  std::unique_ptr<catalog::StreamDirectory> directory;
};

Result<OpenedLog> open_for_reading(const LogOptions& options, StopToken stop = {});

}  // namespace gopline::cli
