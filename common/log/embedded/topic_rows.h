#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/log/embedded/sqlite.h"
#include "common/log/log.h"

namespace gopline::embedded {

struct TopicRow {
  std::int64_t id = 0;
  std::string name;
  std::int32_t partitions = 0;
  Retention retention;
};

struct PartitionRow {
  std::int64_t id = 0;
  std::int64_t topic = 0;
  std::int32_t number = 0;
  OffsetRange range;
  std::uint64_t bytes = 0;       // of keys, values and headers kept
  std::int64_t latest_us = 0;    // the largest timestamp ever written
  std::int64_t uncompacted = 0;  // records written since the last compaction
  std::int64_t removals =
      0;  // counts what retention and compaction took: tells a reader that rows may have gone
};

// The catalogue's topics and partitions, over one connection. What changes rows belongs into a
// WriteTransaction.
class TopicRows {
 public:
  static Result<TopicRows> prepare(sqlite::Database& database);

  Result<std::optional<TopicRow>> find(const std::string& name);
  Result<std::vector<TopicRow>> all();
  Result<std::optional<PartitionRow>> partition(std::int64_t topic, std::int32_t number);
  Result<std::vector<PartitionRow>> partitions(std::int64_t topic);

  Result<void> create(const TopicSpec& spec);
  Result<void> grow(const TopicRow& topic, std::int32_t partitions);
  // Removes the topic, its records and what groups know of it; returns the payload files that held it.
  Result<std::vector<std::string>> remove(const TopicRow& topic);
  Result<void> update(const PartitionRow& partition);
  // Readers in groups look again at what there is to share.
  Result<void> bump_groups();

 private:
  sqlite::Database* database_ = nullptr;
  sqlite::Statement find_, partition_, partitions_, update_;
};

}  // namespace gopline::embedded
