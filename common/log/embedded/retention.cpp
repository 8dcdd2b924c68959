#include "common/log/embedded/retention.h"

#include <algorithm>
#include <set>

#include "common/log/embedded/layout.h"

namespace gopline::embedded {
namespace {

constexpr Duration kTombstoneLifetime = std::chrono::hours(24);
constexpr std::uint64_t kHoleBlock = 4096;

// The columns that removal needs, in this order.
struct Row {
  explicit Row(const sqlite::Statement& row)
      : id(row.integer(0)),
        timestamp(Duration(row.integer(1))),
        bytes(static_cast<std::uint64_t>(row.integer(2))),
        size(row.optional_integer(3)),
        file(row.optional_integer(4)),
        position(static_cast<std::uint64_t>(row.integer(5))) {}
  std::int64_t id;
  Timestamp timestamp;
  std::uint64_t bytes;
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> file;
  std::uint64_t position;
};

}  // namespace

void DeadSpace::add_range(const std::string& file, std::uint64_t position, std::uint64_t size) {
  auto& ranges = ranges_[file];
  // Values begin at block boundaries when they are large, so that neighbours join but for the padding.
  if (!ranges.empty() && position >= ranges.back().position + ranges.back().size &&
      position - (ranges.back().position + ranges.back().size) < kHoleBlock) {
    ranges.back().size = position + size - ranges.back().position;
  } else {
    ranges.push_back({position, size});
  }
}

void DeadSpace::release(FileSystem& files, const std::string& directory) const {
  for (const auto& name : files_) (void)files.remove(payload_path(directory, name));
  for (const auto& [name, ranges] : ranges_) {
    if (std::find(files_.begin(), files_.end(), name) != files_.end()) continue;
    auto file = files.open(payload_path(directory, name), FileSystem::Open::kReadWrite);
    if (!file) continue;
    for (const auto& range : ranges) {
      // Only whole blocks: what shares a block with a dead record may live.
      auto from = (range.position + kHoleBlock - 1) / kHoleBlock * kHoleBlock;
      auto to = (range.position + range.size) / kHoleBlock * kHoleBlock;
      if (from < to) (*file)->punch_hole(from, to - from);
    }
  }
}

Result<RetentionRun> RetentionRun::prepare(sqlite::Database& database) {
  RetentionRun run;
  GOPLINE_ASSIGN(run.oldest_,
                 database.prepare("SELECT id, timestamp_us, bytes, size, file, position FROM records"
                                  " WHERE id >= ? AND id < ? ORDER BY id"));
  GOPLINE_ASSIGN(run.newest_,
                 database.prepare("SELECT id, timestamp_us, bytes, size, file, position, key FROM records"
                                  " WHERE id >= ? AND id < ? ORDER BY id DESC"));
  GOPLINE_ASSIGN(run.delete_range_, database.prepare("DELETE FROM records WHERE id >= ? AND id < ?"));
  GOPLINE_ASSIGN(run.delete_one_, database.prepare("DELETE FROM records WHERE id = ?"));
  GOPLINE_ASSIGN(run.shrink_file_, database.prepare("UPDATE files SET records = records - ? WHERE id = ?"
                                                    " RETURNING name, records, sealed"));
  GOPLINE_ASSIGN(run.delete_file_, database.prepare("DELETE FROM files WHERE id = ?"));
  GOPLINE_ASSIGN(run.empty_files_,
                 database.prepare("DELETE FROM files WHERE sealed AND records <= 0 RETURNING name"));
  return run;
}

Result<bool> RetentionRun::apply(const Retention& retention, PartitionRow& partition, Timestamp now,
                                 std::int64_t most_records, DeadSpace& dead) {
  if (!retention.compacted) return drop_prefix(retention, partition, now, most_records, dead);
  if (partition.uncompacted > 0) GOPLINE_TRY(compact(partition, now, dead));
  return false;
}

Result<bool> RetentionRun::drop_prefix(const Retention& retention, PartitionRow& partition, Timestamp now,
                                       std::int64_t most_records, DeadSpace& dead) {
  if (!retention.age && !retention.bytes) return false;
  auto first = record_id(partition.id, partition.range.begin);
  auto past = record_id(partition.id, partition.range.end);
  auto keep_from = first;
  auto bytes = partition.bytes;
  std::int64_t count = 0;
  bool more = false;
  RemovedByFile removed;
  {
    sqlite::Resetting resetting(oldest_);
    oldest_.bind(first, past);
    while (true) {
      GOPLINE_ASSIGN(bool have, oldest_.step());
      if (!have) {
        keep_from = past;
        break;
      }
      Row row(oldest_);
      keep_from = row.id;
      bool expired = (retention.age && row.timestamp < now - *retention.age) ||
                     (retention.bytes && bytes - std::min(bytes, row.bytes) >= *retention.bytes);
      if (!expired) break;
      if (count == most_records) {
        more = true;
        break;
      }
      ++count;
      bytes -= std::min(bytes, row.bytes);
      if (row.file) {
        auto& of_file = removed[*row.file];
        ++of_file.records;
        of_file.ranges.emplace_back(row.position, static_cast<std::uint64_t>(row.size.value_or(0)));
      }
    }
  }
  if (count == 0) return false;
  GOPLINE_TRY(delete_range_.bind(first, keep_from).run());
  partition.range.begin = keep_from == past ? partition.range.end : offset_of(keep_from);
  partition.bytes = bytes;
  ++partition.removals;
  GOPLINE_TRY(account(removed, dead));
  return more;
}

Result<void> RetentionRun::compact(PartitionRow& partition, Timestamp now, DeadSpace& dead) {
  std::set<std::string, std::less<>> newer;
  std::vector<std::int64_t> ids;
  RemovedByFile removed;
  {
    sqlite::Resetting resetting(newest_);
    newest_.bind(record_id(partition.id, partition.range.begin),
                 record_id(partition.id, partition.range.end));
    while (true) {
      GOPLINE_ASSIGN(bool have, newest_.step());
      if (!have) break;
      Row row(newest_);
      bool newest = newer.emplace(newest_.bytes(6)).second;
      bool forgotten = !row.size && row.timestamp < now - kTombstoneLifetime;
      if (newest && !forgotten) continue;
      ids.push_back(row.id);
      partition.bytes -= std::min(partition.bytes, row.bytes);
      if (row.file) {
        auto& of_file = removed[*row.file];
        ++of_file.records;
        of_file.ranges.emplace_back(row.position, static_cast<std::uint64_t>(row.size.value_or(0)));
      }
    }
  }
  partition.uncompacted = 0;
  if (ids.empty()) return {};
  for (auto id : ids) GOPLINE_TRY(delete_one_.bind(id).run());
  ++partition.removals;
  return account(removed, dead);
}

Result<void> RetentionRun::account(const RemovedByFile& removed, DeadSpace& dead) {
  for (const auto& [file, gone] : removed) {
    std::string name;
    bool finished = false;
    {
      sqlite::Resetting resetting(shrink_file_);
      GOPLINE_ASSIGN(bool have, shrink_file_.bind(gone.records, file).step());
      if (!have) continue;
      name = std::string(shrink_file_.bytes(0));
      finished = shrink_file_.integer(1) <= 0 && shrink_file_.integer(2) != 0;
      // RETURNING gives its row before the statement has ended.
      GOPLINE_TRY(shrink_file_.step());
    }
    if (finished) {
      GOPLINE_TRY(delete_file_.bind(file).run());
      dead.add_file(name);
      continue;
    }
    auto ranges = gone.ranges;
    std::sort(ranges.begin(), ranges.end());
    for (const auto& [position, size] : ranges) dead.add_range(name, position, size);
  }
  return {};
}

Result<void> RetentionRun::drop_empty_files(DeadSpace& dead) {
  sqlite::Resetting resetting(empty_files_);
  while (true) {
    GOPLINE_ASSIGN(bool have, empty_files_.step());
    if (!have) return {};
    dead.add_file(std::string(empty_files_.bytes(0)));
  }
}

}  // namespace gopline::embedded
