#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/log/log.h"

namespace gopline::analyzer {

// What a table says to a key.
struct TableRow {
  std::string data;     // the text of a JSON object
  std::string version;  // of the file: XXH3 of its bytes; of a topic: PARTITION-OFFSET of the row's record
};

// The rows of a table as they are now. Not thread-safe.
class TableSource {
 public:
  virtual ~TableSource() = default;
  // Valid until the next refresh().
  virtual const TableRow* find(const std::string& key) const = 0;
  virtual std::size_t rows() const = 0;
  // Takes in what has changed. An error says what cannot be read, once for each change; what was stays.
  virtual Result<void> refresh() = 0;
};

// A file, up to 64 MiB (table_text.h), read again when it changes. kNotFound, kInvalidArgument: it cannot be
// read now.
Result<std::unique_ptr<TableSource>> open_table_file(const std::string& path, std::vector<std::string> by);

// A compacted topic: key to JSON object, a null value takes the row away; up to 64 MiB of keys and rows. Read
// to its end here, and on with each refresh(). The log outlives it. kNotFound: there is no such topic.
Result<std::unique_ptr<TableSource>> open_table_topic(Log& log, const std::string& topic);

}  // namespace gopline::analyzer
