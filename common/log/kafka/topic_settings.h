#pragma once
#include <map>
#include <string>

#include "common/log/log.h"

// Between what the port says of a topic and Kafka's configuration of it. Pure functions.
namespace gopline::kafka {

using TopicSettings = std::map<std::string, std::string>;

struct TopicLimits {
  int replicas = 1;
  std::uint64_t max_message_bytes = 16 << 20;
};

// The configuration with which a topic is made.
TopicSettings settings_of(const TopicSpec& spec, const TopicLimits& limits);

Retention retention_of(const TopicSettings& settings);

// What a record (value, key, headers) may take of max.message.bytes, which counts the batch around it too.
std::uint64_t record_limit(std::uint64_t max_message_bytes);

}  // namespace gopline::kafka
