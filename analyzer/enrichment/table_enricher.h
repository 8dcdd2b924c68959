#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/enricher.h"
#include "analyzer/enrichment/table_source.h"

namespace gopline::analyzer {

// A table, and what of events it is asked by.
struct TableToJoin {
  std::string name;
  std::vector<std::string> by;  // as parse_table_key() gives it
  std::unique_ptr<TableSource> source;
};

// Joins reference tables to events: each adds the row that it has for an event, if any, in the order of
// tables. Sources are looked at for changes every second. What a table does not know is counted, and each key
// said once.
std::unique_ptr<Enricher> make_table_enricher(std::vector<TableToJoin> tables);

}  // namespace gopline::analyzer
