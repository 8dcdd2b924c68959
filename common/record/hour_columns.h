#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/record/markers.h"

namespace gopline::record {

// What a timeline needs of a segment.
struct HourRow {
  SegmentNumber segment;
  Ordinal ordinal;
  Timestamp time;
  Rational duration;
  bool late = false;
};

// A roll-up's columns where they lie. An hour has thousands of values, of which a timeline takes a few
// columns and a playlist a few rows: so the text is gone over once, every value's place is kept, and only
// what is asked for is parsed.
class HourColumns {
 public:
  // Checks the type, `ce_xxh3`, and that every column has the same number of values. A roll-up that keeps
  // only its sums has no rows.
  static Result<HourColumns> parse(const Headers& headers, Buffer value);

  EpochNumber epoch() const { return epoch_; }
  std::size_t size() const { return columns_.empty() ? 0 : columns_.front().second.size(); }
  bool has(std::string_view column) const { return find(column) != nullptr; }

  // kCorrupt, with the column's name. `i` < size().
  Result<HourRow> row(std::size_t i) const;
  Result<IndexEntry> entry(std::size_t i) const;  // as its own record has it

 private:
  using Column = std::vector<std::string_view>;  // JSON text, in `value_`

  const Column* find(std::string_view name) const;
  Result<std::string_view> cell(std::string_view column, std::size_t i) const;
  Result<std::string_view> text_cell(std::string_view column, std::size_t i) const;
  Result<std::int64_t> number_cell(std::string_view column, std::size_t i) const;

  Buffer value_;
  EpochNumber epoch_;
  std::string_view stream_, writer_, epoch_text_;  // JSON text
  std::vector<std::pair<std::string_view, Column>> columns_;
};

}  // namespace gopline::record
