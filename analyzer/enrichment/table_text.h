#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace gopline::analyzer {

// What of an event a table is asked by, as the operator writes it: "stream", "zone", "class" or "track", or
// several: "stream|zone". A row's key is then the values in this order, with a '|' between.
Result<std::vector<std::string>> parse_table_key(std::string_view text);

// A row: the text of a JSON object.
using TableRows = std::map<std::string, std::string>;

// The text of a file whose name ends in .csv, .json, .yaml or .yml.
//
// CSV (RFC 4180): a line of names; the columns that are named like `by` are the key, the others are added.
// JSON and YAML: an object with a row for each key, or a list of objects that have the key as CSV has it. A
// row that is no object is {"name": it}. kInvalidArgument: "PATH:LINE: what is wrong with it".
Result<TableRows> parse_table(const std::string& text, const std::string& path,
                              const std::vector<std::string>& by);

}  // namespace gopline::analyzer
