#pragma once
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "common/base/result.h"

// What readers of our YAML files share; used by their .cpp files only.
namespace gopline::cli::yaml {

// A fault at a place in the file; thrown by these, and caught by Faults.
struct Wrong {
  YAML::Mark mark;
  std::string what;
};

inline std::string word(const YAML::Node& node, std::string_view expected) {
  if (!node.IsScalar()) throw Wrong{node.Mark(), fmt::format("expected {}", expected)};
  return node.Scalar();
}

template <typename Value>
Value parsed(const YAML::Node& node, std::string_view expected, Result<Value> (*parse)(std::string_view)) {
  auto value = parse(word(node, expected));
  if (!value) throw Wrong{node.Mark(), value.error().message};
  if (*value <= Value{}) throw Wrong{node.Mark(), fmt::format("expected {}, above zero", expected)};
  return *value;
}

inline bool truth(const YAML::Node& node) {
  bool value = false;
  if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value))
    throw Wrong{node.Mark(), "expected true or false"};
  return value;
}

template <typename Value>
Value one_of(const YAML::Node& node, const std::map<std::string, Value>& values) {
  std::string names;
  for (const auto& [name, value] : values) {
    names += names.empty() ? name : ", " + name;
    if (node.IsScalar() && node.Scalar() == name) return value;
  }
  throw Wrong{node.Mark(), "expected one of: " + names};
}

// Everything that is wrong with a file: one fault does not hide the next.
class Faults {
 public:
  explicit Faults(std::string path) : path_(std::move(path)) {}

  void note(const YAML::Mark& mark, std::string_view what) {
    lines_.push_back(fmt::format("{}:{}: {}", path_, std::max(mark.line, 0) + 1, what));
  }

  template <typename Take>
  void trying(Take take) {
    try {
      take();
    } catch (const Wrong& wrong) {
      note(wrong.mark, wrong.what);
    }
  }

  // `take` with the whole document.
  template <typename Take>
  void reading(const std::string& text, Take take) {
    try {
      take(YAML::Load(text));
    } catch (const YAML::Exception& error) {
      note(error.mark, error.msg);
    }
  }

  // A map without words that are said twice, or that nobody knows. `take` gets each entry's name and value.
  template <typename Take>
  void entries(const YAML::Node& node, std::string_view expected, Take take) {
    if (!node.IsMap()) return note(node.Mark(), fmt::format("expected {}", expected));
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        note(entry.first.Mark(), "expected a name");
        continue;
      }
      auto name = entry.first.Scalar();
      if (!seen.insert(name).second) note(entry.first.Mark(), fmt::format("'{}' is said twice", name));
      trying([&] { take(name, entry.first, entry.second); });
    }
  }

  bool empty() const { return lines_.empty(); }
  // A line of text for each.
  tl::unexpected<Error> all() const {
    std::string text;
    for (const auto& line : lines_) text += text.empty() ? line : "\n" + line;
    return tl::unexpected<Error>({ErrorCode::kInvalidArgument, text});
  }

 private:
  std::string path_;
  std::vector<std::string> lines_;
};

}  // namespace gopline::cli::yaml
