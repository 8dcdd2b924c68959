#include "analyzer/enrichment/table_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>

#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

#include "common/base/text.h"

namespace gopline::analyzer {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kKeys{"stream", "zone", "class", "track"};
constexpr std::size_t kDeepest = 32;

// A fault at a line of the file; thrown inside this file only.
struct BadLine {
  std::size_t line;
  std::string what;
};

// Rows as they come, each with the line where it begins.
class RowSink {
 public:
  explicit RowSink(const std::vector<std::string>& by) : by_(by) {}

  void add(const std::string& key, ordered_json row, std::size_t line) {
    if (!row.is_object()) row = ordered_json{{"name", std::move(row)}};
    auto [found, is_new] = lines_.try_emplace(key, line);
    if (!is_new)
      throw BadLine{line, fmt::format("'{}' is there twice; first in line {}", key, found->second)};
    rows_[key] = row.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  }

  // One that has its key among its members.
  void add_with_key(ordered_json row, std::size_t line) {
    if (!row.is_object()) throw BadLine{line, "expected an object"};
    std::string key;
    for (const auto& name : by_) {
      auto found = row.find(name);
      if (found == row.end() || !found->is_primitive())
        throw BadLine{line, fmt::format("it has no '{}'", name)};
      if (&name != &by_.front()) key += '|';
      key += found->is_string() ? found->get<std::string>() : found->dump();
      row.erase(found);
    }
    add(key, std::move(row), line);
  }

  TableRows take() { return std::move(rows_); }

 private:
  const std::vector<std::string>& by_;
  TableRows rows_;
  std::map<std::string, std::size_t> lines_;
};

// ---- CSV

// RFC 4180, with either end of line.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    if (text_.starts_with(kMark)) text_.remove_prefix(kMark.size());
  }

  // The next line that is not empty; nullopt: there is none.
  std::optional<std::vector<std::string>> next() {
    while (!text_.empty() && (text_.front() == '\n' || text_.front() == '\r')) drop();
    if (text_.empty()) return std::nullopt;
    began_ = line_;
    std::vector<std::string> fields;
    for (;;) {
      fields.push_back(field());
      if (text_.empty() || text_.front() != ',') break;
      drop();
    }
    if (!text_.empty() && text_.front() != '\n' && text_.front() != '\r')
      throw BadLine{line_, "a quoted field goes on after its second quote"};
    return fields;
  }
  std::size_t line() const { return began_; }  // of what next() gave

 private:
  void drop() {
    if (text_.front() == '\n') ++line_;
    text_.remove_prefix(1);
  }

  std::string field() {
    std::string out;
    if (text_.empty() || text_.front() != '"') {
      auto end = std::min(text_.find_first_of(",\r\n"), text_.size());
      out = text_.substr(0, end);
      text_.remove_prefix(end);
      return out;
    }
    drop();
    while (!text_.empty()) {
      char c = text_.front();
      drop();
      if (c != '"') {
        out += c;
      } else if (text_.empty() || text_.front() != '"') {
        return out;
      } else {
        out += c;
        drop();
      }
    }
    throw BadLine{began_, "a quoted field has no second quote"};
  }

  std::string_view text_;
  std::size_t line_ = 1, began_ = 1;
};

void read_csv(const std::string& text, const std::vector<std::string>& by, RowSink& rows) {
  CsvReader reader(text);
  auto names = reader.next();
  if (!names) throw BadLine{1, "expected a line with the names of the columns"};
  for (const auto& name : by) {
    if (std::ranges::find(*names, name) == names->end())
      throw BadLine{1, fmt::format("there is no column '{}'; there are {}", name, fmt::join(*names, ", "))};
  }
  while (auto fields = reader.next()) {
    if (fields->size() != names->size())
      throw BadLine{reader.line(),
                    fmt::format("{} fields, and {} names in line 1", fields->size(), names->size())};
    auto row = ordered_json::object();
    for (std::size_t i = 0; i < names->size(); ++i) {
      bool is_key = std::ranges::find(by, (*names)[i]) != by.end();
      if (is_key || !(*fields)[i].empty()) row[(*names)[i]] = (*fields)[i];
    }
    rows.add_with_key(std::move(row), reader.line());
  }
}

// ---- JSON and YAML

ordered_json json_of(const YAML::Node& node, std::size_t depth) {
  auto line = static_cast<std::size_t>(std::max(node.Mark().line, 0)) + 1;
  if (depth > kDeepest) throw BadLine{line, "too deep"};
  ordered_json out;
  if (node.IsMap()) {
    out = ordered_json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) throw BadLine{line, "expected a name"};
      out[entry.first.Scalar()] = json_of(entry.second, depth + 1);
    }
  } else if (node.IsSequence()) {
    out = ordered_json::array();
    for (const auto& element : node) out.push_back(json_of(element, depth + 1));
  } else if (node.IsScalar()) {
    out = node.Scalar();
    // What is not quoted may be a number, or true; anything else is text.
    if (bool value = false; node.Tag() == "?" && YAML::convert<bool>::decode(node, value)) {
      out = value;
    } else if (auto number = parse_int64(node.Scalar()); node.Tag() == "?" && number) {
      out = *number;
    } else if (double real = 0;
               node.Tag() == "?" && YAML::convert<double>::decode(node, real) && std::isfinite(real)) {
      out = real;
    }
  }
  return out;
}

void read_yaml(const std::string& text, RowSink& rows) {
  auto document = YAML::Load(text);
  auto line_of = [](const YAML::Node& node) {
    return static_cast<std::size_t>(std::max(node.Mark().line, 0)) + 1;
  };
  if (document.IsMap()) {
    for (const auto& entry : document) {
      if (!entry.first.IsScalar()) throw BadLine{line_of(entry.first), "expected a key"};
      rows.add(entry.first.Scalar(), json_of(entry.second, 0), line_of(entry.first));
    }
  } else if (document.IsSequence()) {
    for (const auto& element : document) rows.add_with_key(json_of(element, 0), line_of(element));
  } else {
    throw BadLine{1, "expected rows by their keys, or a list of rows"};
  }
}

void read_json(const std::string& text, RowSink& rows) {
  ordered_json document;
  try {
    document = ordered_json::parse(text);
  } catch (const ordered_json::parse_error& error) {
    auto before = std::string_view(text).substr(0, std::min(error.byte, text.size()));
    throw BadLine{1 + static_cast<std::size_t>(std::ranges::count(before, '\n')), "not JSON from here on"};
  }
  if (document.is_object()) {
    for (const auto& [key, row] : document.items()) rows.add(key, row, 1);
  } else if (document.is_array()) {
    for (const auto& row : document) rows.add_with_key(row, 1);
  } else {
    throw BadLine{1, "expected an object with a row for each key, or a list of rows"};
  }
}

}  // namespace

Result<std::vector<std::string>> parse_table_key(std::string_view text) {
  std::vector<std::string> by;
  for (;;) {
    auto end = std::min(text.find('|'), text.size());
    auto name = std::string(text.substr(0, end));
    bool known = std::ranges::find(kKeys, name) != kKeys.end();
    if (!known || std::ranges::find(by, name) != by.end())
      return fail(ErrorCode::kInvalidArgument, "'{}': a table is asked by {}, or several, like stream|zone",
                  name, fmt::join(kKeys, ", "));
    by.push_back(std::move(name));
    if (end == text.size()) return by;
    text.remove_prefix(end + 1);
  }
}

Result<TableRows> parse_table(const std::string& text, const std::string& path,
                              const std::vector<std::string>& by) {
  auto kind = std::filesystem::path(path).extension().string();
  RowSink rows(by);
  try {
    if (kind == ".csv") {
      read_csv(text, by, rows);
    } else if (kind == ".json") {
      read_json(text, rows);
    } else if (kind == ".yaml" || kind == ".yml") {
      read_yaml(text, rows);
    } else {
      return fail(ErrorCode::kInvalidArgument, "{}: a table is a .csv, .json or .yaml file", path);
    }
  } catch (const BadLine& bad) {
    return fail(ErrorCode::kInvalidArgument, "{}:{}: {}", path, bad.line, bad.what);
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::kInvalidArgument, "{}:{}: {}", path, std::max(error.mark.line, 0) + 1, error.msg);
  }
  return rows.take();
}

}  // namespace gopline::analyzer
