#include "common/log/embedded/record_rows.h"

#include <algorithm>

namespace gopline::embedded {
namespace {

// What a record costs besides its bytes, so that a poll() of empty ones ends, too.
constexpr std::size_t kOverhead = 64;

}  // namespace

Result<RecordRows> RecordRows::prepare(sqlite::Database& database) {
  RecordRows rows;
  GOPLINE_ASSIGN(
      rows.insert_,
      database.prepare("INSERT INTO records (id, timestamp_us, latest_us, key, headers, bytes, size,"
                       " checksum, file, position, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  GOPLINE_ASSIGN(rows.read_,
                 database.prepare("SELECT id, timestamp_us, key, headers, size, checksum, file, position,"
                                  " value FROM records WHERE id >= ? AND id < ? ORDER BY id"));
  GOPLINE_ASSIGN(rows.exists_, database.prepare("SELECT 1 FROM records WHERE id = ?"));
  GOPLINE_ASSIGN(rows.latest_, database.prepare("SELECT id, latest_us FROM records WHERE id >= ? AND id < ?"
                                                " ORDER BY id LIMIT 1"));
  GOPLINE_ASSIGN(rows.scan_,
                 database.prepare("SELECT id FROM records WHERE id >= ? AND id < ? AND timestamp_us >= ?"
                                  " ORDER BY id LIMIT 1"));
  return rows;
}

Result<void> RecordRows::insert(const NewRow& row) {
  return insert_
      .bind(row.id, row.timestamp_us, row.latest_us, sqlite::Blob{row.key}, sqlite::Blob{row.headers},
            row.bytes, row.size, row.checksum, row.file, row.position, row.value)
      .run();
}

Result<bool> RecordRows::read(std::int64_t first, std::int64_t past, bool with_values, std::size_t& budget,
                              std::vector<RecordRow>& rows) {
  sqlite::Resetting resetting(read_);
  read_.bind(first, past);
  while (true) {
    GOPLINE_ASSIGN(bool have, read_.step());
    if (!have) return false;
    RecordRow row;
    row.id = read_.integer(0);
    row.size = read_.optional_integer(4);
    auto cost = kOverhead + read_.bytes(2).size() + read_.bytes(3).size() +
                (with_values ? static_cast<std::size_t>(row.size.value_or(0)) : 0);
    if (!rows.empty() && cost > budget) return true;
    budget -= std::min(budget, cost);
    row.timestamp_us = read_.integer(1);
    row.key = std::string(read_.bytes(2));
    row.headers = std::string(read_.bytes(3));
    row.checksum = read_.integer(5);
    row.file = read_.optional_integer(6);
    row.position = static_cast<std::uint64_t>(read_.integer(7));
    if (with_values && row.size && !row.file) row.value = Buffer::copy(read_.bytes(8));
    rows.push_back(std::move(row));
  }
}

Result<bool> RecordRows::exists(std::int64_t id) {
  sqlite::Resetting resetting(exists_);
  return exists_.bind(id).step();
}

Result<std::optional<std::int64_t>> RecordRows::first_at(std::int64_t first, std::int64_t past,
                                                         std::int64_t time_us) {
  auto low = first;  // no record before this has reached the time
  auto high = past;  // the first record from here on, if any, has
  while (low < high) {
    auto middle = low + (high - low) / 2;
    sqlite::Resetting resetting(latest_);
    GOPLINE_ASSIGN(bool have, latest_.bind(middle, past).step());
    if (!have || latest_.integer(1) >= time_us) {
      high = middle;
    } else {
      low = latest_.integer(0) + 1;
    }
  }
  sqlite::Resetting resetting(scan_);
  GOPLINE_ASSIGN(bool have, scan_.bind(low, past, time_us).step());
  return have ? std::optional(scan_.integer(0)) : std::nullopt;
}

}  // namespace gopline::embedded
