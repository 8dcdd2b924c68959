#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/log/embedded/sqlite.h"
#include "common/log/log.h"

namespace gopline::embedded {

// A record as the catalogue has it. Without `size` the value is null; without `file` it is in `value`.
struct RecordRow {
  std::int64_t id = 0;
  std::int64_t timestamp_us = 0;
  std::string key;
  std::string headers;
  std::optional<std::int64_t> size;
  std::int64_t checksum = 0;
  Buffer value;
  std::optional<std::int64_t> file;
  std::uint64_t position = 0;
};

// What is inserted: views of what the caller holds.
struct NewRow {
  std::int64_t id = 0;
  std::int64_t timestamp_us = 0;
  std::int64_t latest_us = 0;  // the largest timestamp in the partition so far
  std::string_view key;
  std::string_view headers;
  std::int64_t bytes = 0;
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> checksum;
  std::optional<sqlite::Blob> value;
  std::optional<std::int64_t> file;
  std::optional<std::int64_t> position;
};

// The catalogue's records, over one connection.
class RecordRows {
 public:
  static Result<RecordRows> prepare(sqlite::Database& database);

  Result<void> insert(const NewRow& row);

  // Adds records with ids in [first, past) to `rows`, for as long as `budget` lasts, from which keys, headers
  // and values are taken; the first of all is added in any case. True: stopped by the budget. Values of
  // records in files are not read.
  Result<bool> read(std::int64_t first, std::int64_t past, bool with_values, std::size_t& budget,
                    std::vector<RecordRow>& rows);
  Result<bool> exists(std::int64_t id);

  // The id of the first record in [first, past) whose timestamp is not before `time`.
  // Each row knows the largest timestamp up to itself, which never falls from row to row: so a binary search
  // over offsets finds where that first reaches `time`, and only out-of-order leftovers of retention need a
  // look beyond.
  Result<std::optional<std::int64_t>> first_at(std::int64_t first, std::int64_t past, std::int64_t time_us);

 private:
  sqlite::Statement insert_, read_, exists_, latest_, scan_;
};

}  // namespace gopline::embedded
