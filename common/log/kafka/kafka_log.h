#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"

// The log on Apache Kafka, through librdkafka. docs/kafka.md says what operators need to know.
namespace gopline {

// One property of librdkafka (CONFIGURATION.md there), or of ours:
//   gopline.replication.factor   of topics that are made; else as many as there are brokers, at most 3
//   gopline.max.message.bytes    of topics that are made; else 16 MiB
struct KafkaProperty {
  std::string name;
  std::string value;   // may be a secret: never printed
  std::string origin;  // where it was set, for messages: "the URL", "FILE:LINE", "$NAME"
};

struct KafkaLogOptions {
  std::string brokers;                    // HOST:PORT[,HOST:PORT...]
  std::vector<KafkaProperty> properties;  // later ones win
  std::string prefix;                     // before the names of topics and groups, and hidden from callers
  Duration patience = std::chrono::seconds(20);  // how long a question to the cluster may take
  StopToken stop;                                // ends every wait for the cluster
};

// Connects, and fails when no broker answers within `patience` or the login is refused: kUnavailable,
// kPermissionDenied. kInvalidArgument names a property that is unknown, wrong, or not the user's to set.
Result<std::unique_ptr<Log>> open_kafka_log(KafkaLogOptions options);

// What `kafka://HOST:PORT[,...]/NAMESPACE[?property=value&...]` says. Names and values are percent-decoded.
struct KafkaUrl {
  std::string brokers;
  std::string topic_namespace;  // empty: the default
  std::vector<KafkaProperty> properties;
};
Result<KafkaUrl> parse_kafka_url(std::string_view url);

// The URL with the values of its properties, and what stands before an @, replaced by "***".
std::string kafka_url_without_secrets(std::string_view url);

// The properties of a file of `name=value` lines; `#` and `!` begin a comment. kInvalidArgument names the
// line.
Result<std::vector<KafkaProperty>> read_kafka_properties(const std::string& path);

// GOPLINE_KAFKA_SASL_PASSWORD=x is sasl.password=x: lower case, '_' for '.', "__" for '_'. `environment`
// holds NAME=VALUE entries and ends with a null pointer. GOPLINE_KAFKA_CONFIG names a file and is not a
// property.
std::vector<KafkaProperty> kafka_properties_from(const char* const* environment);

}  // namespace gopline
