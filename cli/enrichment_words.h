#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/enricher.h"
#include "common/base/result.h"
#include "common/log/log.h"

namespace gopline::cli {

// A reference table as the operator names it.
struct TableWords {
  std::string name;             // in events
  std::vector<std::string> by;  // what of an event it is asked by
  std::string file, topic;      // one of them
};

// [BY=]FILE or [BY=]topic:TOPIC; BY is "stream" unless it is said. kInvalidArgument says what is wrong.
Result<TableWords> parse_table_words(std::string_view text);
// Of a file's path or a topic: its own name without folder and ending.
std::string default_table_name(const TableWords& table);

// Reads the tables. kInvalidArgument, kNotFound: what is wrong with one. The log outlives what is returned;
// without tables that is nullptr.
Result<std::unique_ptr<analyzer::Enricher>> make_enricher(Log& log, const std::vector<TableWords>& tables);
// Whether files can be read; what is in the log is not looked at.
Result<void> check_table_file(const TableWords& table);

}  // namespace gopline::cli
