#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/record/markers.h"

namespace gopline::splitter {

// The index entries of an hour until its roll-up. There are thousands of each stream, and hundreds of streams
// in a process: as they are they would take most of its memory, so the values of their records are kept,
// compressed in blocks. Not thread-safe.
class HourEntries {
 public:
  // `value`: of the entry's record.
  void add(const record::IndexEntry& entry, std::string_view value);

  bool empty() const { return sums_.segments == 0; }
  std::size_t resident_bytes() const;

  // The roll-up of what was added, with its sums and entries; nothing is left. What it is of, the caller
  // fills in.
  Result<record::IndexHour> take();

 private:
  void close_block();

  record::IndexHour sums_;
  std::string open_;                 // values, each with a newline
  std::vector<std::string> blocks_;  // the same, compressed
};

}  // namespace gopline::splitter
