#include "common/log/embedded/topic_rows.h"

#include "common/log/embedded/layout.h"

namespace gopline::embedded {
namespace {

#define GOPLINE_TOPIC_COLUMNS "id, name, partitions, retention_us, retention_bytes, compacted"
#define GOPLINE_PARTITION_COLUMNS "id, topic, number, begin, end, bytes, latest_us, uncompacted, removals"

TopicRow topic_of(const sqlite::Statement& row) {
  TopicRow topic{row.integer(0), std::string(row.bytes(1)), static_cast<std::int32_t>(row.integer(2)), {}};
  if (auto age = row.optional_integer(3)) topic.retention.age = Duration(*age);
  if (auto bytes = row.optional_integer(4)) topic.retention.bytes = static_cast<std::uint64_t>(*bytes);
  topic.retention.compacted = row.integer(5) != 0;
  return topic;
}

PartitionRow partition_of(const sqlite::Statement& row) {
  return {row.integer(0),
          row.integer(1),
          static_cast<std::int32_t>(row.integer(2)),
          {Offset(row.integer(3)), Offset(row.integer(4))},
          static_cast<std::uint64_t>(row.integer(5)),
          row.integer(6),
          row.integer(7),
          row.integer(8)};
}

std::optional<std::int64_t> microseconds(const std::optional<Duration>& duration) {
  return duration ? std::optional<std::int64_t>(duration->count()) : std::nullopt;
}

}  // namespace

Result<TopicRows> TopicRows::prepare(sqlite::Database& database) {
  TopicRows rows;
  rows.database_ = &database;
  GOPLINE_ASSIGN(rows.find_, database.prepare("SELECT " GOPLINE_TOPIC_COLUMNS " FROM topics WHERE name = ?"));
  GOPLINE_ASSIGN(rows.partition_, database.prepare("SELECT " GOPLINE_PARTITION_COLUMNS
                                                   " FROM partitions WHERE topic = ? AND number = ?"));
  GOPLINE_ASSIGN(rows.partitions_, database.prepare("SELECT " GOPLINE_PARTITION_COLUMNS
                                                    " FROM partitions WHERE topic = ? ORDER BY number"));
  GOPLINE_ASSIGN(rows.update_,
                 database.prepare("UPDATE partitions SET begin = ?, end = ?, bytes = ?, latest_us = ?,"
                                  " uncompacted = ?, removals = ? WHERE id = ?"));
  return rows;
}

Result<std::optional<TopicRow>> TopicRows::find(const std::string& name) {
  sqlite::Resetting resetting(find_);
  GOPLINE_ASSIGN(bool row, find_.bind(name).step());
  return row ? std::optional(topic_of(find_)) : std::nullopt;
}

Result<std::vector<TopicRow>> TopicRows::all() {
  GOPLINE_ASSIGN(auto statement,
                 database_->prepare("SELECT " GOPLINE_TOPIC_COLUMNS " FROM topics ORDER BY name"));
  std::vector<TopicRow> topics;
  while (true) {
    GOPLINE_ASSIGN(bool row, statement.step());
    if (!row) return topics;
    topics.push_back(topic_of(statement));
  }
}

Result<std::optional<PartitionRow>> TopicRows::partition(std::int64_t topic, std::int32_t number) {
  sqlite::Resetting resetting(partition_);
  GOPLINE_ASSIGN(bool row, partition_.bind(topic, std::int64_t{number}).step());
  return row ? std::optional(partition_of(partition_)) : std::nullopt;
}

Result<std::vector<PartitionRow>> TopicRows::partitions(std::int64_t topic) {
  sqlite::Resetting resetting(partitions_);
  partitions_.bind(topic);
  std::vector<PartitionRow> all;
  while (true) {
    GOPLINE_ASSIGN(bool row, partitions_.step());
    if (!row) return all;
    all.push_back(partition_of(partitions_));
  }
}

Result<void> TopicRows::create(const TopicSpec& spec) {
  GOPLINE_ASSIGN(
      auto insert,
      database_->prepare("INSERT INTO topics (name, partitions, retention_us, retention_bytes, compacted)"
                         " VALUES (?, 0, ?, ?, ?)"));
  auto bytes =
      spec.retention.bytes ? std::optional(static_cast<std::int64_t>(*spec.retention.bytes)) : std::nullopt;
  GOPLINE_TRY(
      insert.bind(spec.name, microseconds(spec.retention.age), bytes, std::int64_t{spec.retention.compacted})
          .run());
  GOPLINE_ASSIGN(auto topic, find(spec.name));
  return grow(*topic, spec.partitions);
}

Result<void> TopicRows::grow(const TopicRow& topic, std::int32_t partitions) {
  GOPLINE_ASSIGN(auto insert, database_->prepare("INSERT INTO partitions (topic, number) VALUES (?, ?)"));
  for (auto number = topic.partitions; number < partitions; ++number) {
    GOPLINE_TRY(insert.bind(topic.id, std::int64_t{number}).run());
  }
  GOPLINE_ASSIGN(auto update, database_->prepare("UPDATE topics SET partitions = ? WHERE id = ?"));
  GOPLINE_TRY(update.bind(std::int64_t{partitions}, topic.id).run());
  return bump_groups();
}

Result<std::vector<std::string>> TopicRows::remove(const TopicRow& topic) {
  GOPLINE_ASSIGN(auto all, partitions(topic.id));
  for (const char* sql :
       {"DELETE FROM owners WHERE partition = ?", "DELETE FROM commits WHERE partition = ?"}) {
    GOPLINE_ASSIGN(auto statement, database_->prepare(sql));
    for (const auto& partition : all) GOPLINE_TRY(statement.bind(partition.id).run());
  }
  GOPLINE_ASSIGN(auto records, database_->prepare("DELETE FROM records WHERE id >= ? AND id < ?"));
  for (const auto& partition : all) {
    GOPLINE_TRY(
        records.bind(record_id(partition.id, Offset(0)), record_id(partition.id + 1, Offset(0))).run());
  }
  std::vector<std::string> names;
  GOPLINE_ASSIGN(auto files, database_->prepare("DELETE FROM files WHERE topic = ? RETURNING name"));
  files.bind(topic.id);
  while (true) {
    GOPLINE_ASSIGN(bool row, files.step());
    if (!row) break;
    names.emplace_back(files.bytes(0));
  }
  for (const char* sql : {"DELETE FROM partitions WHERE topic = ?", "DELETE FROM topics WHERE id = ?"}) {
    GOPLINE_ASSIGN(auto statement, database_->prepare(sql));
    GOPLINE_TRY(statement.bind(topic.id).run());
  }
  GOPLINE_TRY(bump_groups());
  return names;
}

Result<void> TopicRows::update(const PartitionRow& partition) {
  return update_
      .bind(partition.range.begin.value, partition.range.end.value,
            static_cast<std::int64_t>(partition.bytes), partition.latest_us, partition.uncompacted,
            partition.removals, partition.id)
      .run();
}

Result<void> TopicRows::bump_groups() {
  return database_->execute("UPDATE reader_groups SET generation = generation + 1");
}

}  // namespace gopline::embedded
