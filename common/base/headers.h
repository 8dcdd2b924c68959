#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gopline {

// A name and UTF-8 value beside a record's payload. In a list the order is kept and names may repeat.
struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};
using Headers = std::vector<Header>;

// The first header of that name, or nullopt. The view lasts as long as the list is not changed.
std::optional<std::string_view> find_header(const Headers& headers, std::string_view name);

}  // namespace gopline
