#include "common/log/kafka/topic_settings.h"

#include <algorithm>

#include "common/base/text.h"

namespace gopline::kafka {
namespace {

// Frame of a record batch (61 bytes), of the record, and lengths of its key and headers: generously.
constexpr std::uint64_t kBatchFrame = 1024;
constexpr std::uint64_t kSmallestFile = 16 << 20, kLargestFile = 1 << 30;

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::int64_t number(const TopicSettings& settings, const std::string& name, std::int64_t otherwise) {
  auto found = settings.find(name);
  return found == settings.end() ? otherwise : parse_int64(found->second).value_or(otherwise);
}

}  // namespace

TopicSettings settings_of(const TopicSpec& spec, const TopicLimits& limits) {
  TopicSettings out{
      {"cleanup.policy", spec.retention.compacted ? "compact" : "delete"},
      {"message.timestamp.type", "CreateTime"},
      {"max.message.bytes", std::to_string(limits.max_message_bytes)},
      // With a replica away, writing goes on; with two away it stops instead of losing.
      {"min.insync.replicas", limits.replicas >= 3 ? "2" : "1"},
      {"retention.ms", "-1"},
      {"retention.bytes", "-1"},
  };
  if (spec.compressed) out["compression.type"] = "zstd";
  if (spec.retention.age && !spec.retention.compacted) {
    auto age = milliseconds(*spec.retention.age);
    out["retention.ms"] = std::to_string(age);
    // Whole files are dropped: ten of them make the age, so that at most a tenth is kept too long.
    out["segment.ms"] = std::to_string(std::clamp<std::int64_t>(age / 10, 60'000, 7 * 86'400'000LL));
  }
  if (spec.retention.bytes && !spec.retention.compacted) {
    out["retention.bytes"] = std::to_string(*spec.retention.bytes);
    auto file = std::clamp<std::uint64_t>(*spec.retention.bytes / 10, kSmallestFile, kLargestFile);
    out["segment.bytes"] = std::to_string(std::max(file, limits.max_message_bytes));
  }
  return out;
}

Retention retention_of(const TopicSettings& settings) {
  Retention out;
  auto policy = settings.find("cleanup.policy");
  out.compacted = policy != settings.end() && policy->second.find("compact") != std::string::npos;
  bool deletes = policy == settings.end() || policy->second.find("delete") != std::string::npos;
  if (!deletes) return out;
  if (auto age = number(settings, "retention.ms", -1); age >= 0) out.age = std::chrono::milliseconds(age);
  if (auto bytes = number(settings, "retention.bytes", -1); bytes >= 0) {
    out.bytes = static_cast<std::uint64_t>(bytes);
  }
  return out;
}

std::uint64_t record_limit(std::uint64_t max_message_bytes) {
  return max_message_bytes > 2 * kBatchFrame ? max_message_bytes - kBatchFrame : max_message_bytes / 2;
}

}  // namespace gopline::kafka
