#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/log/embedded/file_system.h"
#include "common/log/embedded/sqlite.h"
#include "common/log/embedded/topic_rows.h"

namespace gopline::embedded {

// Retention that goes with a commit must not make it long.
inline constexpr std::int64_t kMostRemovedPerCommit = 512;

// What records that are gone have left on the disk: given back only once their removal is committed.
class DeadSpace {
 public:
  void add_file(std::string name) { files_.push_back(std::move(name)); }
  void add_range(const std::string& file, std::uint64_t position, std::uint64_t size);
  bool empty() const { return files_.empty() && ranges_.empty(); }
  // Unlinks files and punches holes. Failures only cost space until the next opening, which finds what is
  // unreferenced.
  void release(FileSystem& files, const std::string& directory) const;

 private:
  struct Range {
    std::uint64_t position;
    std::uint64_t size;
  };
  std::vector<std::string> files_;
  std::map<std::string, std::vector<Range>> ranges_;
};

// Removes what a topic need not keep any more, as a prefix of each partition, or all but the newest of each
// key. Works inside the caller's WriteTransaction. A payload file goes when its last record has gone and
// nobody writes to it any more; until then the space of its dead records is given back by punching holes, so
// that one quiet partition does not keep the footage of all its neighbours.
class RetentionRun {
 public:
  static Result<RetentionRun> prepare(sqlite::Database& database);

  // At most `most_records` are removed. True: there may be more to remove.
  Result<bool> apply(const Retention& retention, PartitionRow& partition, Timestamp now,
                     std::int64_t most_records, DeadSpace& dead);
  // Files that nobody writes to any more and no record refers to.
  Result<void> drop_empty_files(DeadSpace& dead);

 private:
  struct Removed {
    std::int64_t records = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  };
  using RemovedByFile = std::map<std::int64_t, Removed>;

  Result<bool> drop_prefix(const Retention& retention, PartitionRow& partition, Timestamp now,
                           std::int64_t most_records, DeadSpace& dead);
  Result<void> compact(PartitionRow& partition, Timestamp now, DeadSpace& dead);
  Result<void> account(const RemovedByFile& removed, DeadSpace& dead);

  sqlite::Statement oldest_, newest_, delete_range_, delete_one_, shrink_file_, delete_file_, empty_files_;
};

}  // namespace gopline::embedded
