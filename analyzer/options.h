#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace gopline::analyzer {

// The options of an analyzer as the operator writes them: NAME[:key=value[,key=value...]]. A key may come
// again; `run` takes the rest of the line, commas and all.
struct Specification {
  std::string name;
  std::vector<std::pair<std::string, std::string>> options;
  std::string folder = {};  // where files are that are not named from the root; empty: where we are
};

// kInvalidArgument says what is wrong with the words.
Result<Specification> parse_specification(std::string_view text);

// Reads options by name, and keeps the first thing that is wrong with them. What was read, defaults included,
// is the configuration of which an analyzer's identity has the digest: so a default that changes is another
// configuration.
class OptionReader {
 public:
  explicit OptionReader(const Specification& specification) : specification_(specification) {}

  std::string text(const std::string& key, const std::string& fallback);
  double number(const std::string& key, double fallback, double least, double most);
  Duration duration(const std::string& key, Duration fallback, Duration least = Duration::zero());
  // One of the words.
  std::string word(const std::string& key, const std::vector<std::string>& words);  // the first: the default
  std::vector<std::string> all(const std::string& key);
  // "WIDTHxHEIGHT", of which one may be 0.
  std::pair<int, int> size(const std::string& key, std::pair<int, int> fallback);

  // The path of a file, of which the bytes are the configuration, wherever it lies. Must be there unless the
  // fallback is empty and nothing is said.
  std::string file(const std::string& key, const std::string& fallback);

  // What was wrong, or an option that nobody asked for.
  Result<void> finish() const;
  // XXH3 of all that was read.
  std::string digest() const;
  void complain(const std::string& key, const std::string& what);

 private:
  std::optional<std::string> find(const std::string& key);

  const Specification& specification_;
  std::map<std::string, std::string> read_;
  std::optional<Error> error_;
};

}  // namespace gopline::analyzer
