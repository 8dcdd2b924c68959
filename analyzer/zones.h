#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/options.h"
#include "common/base/result.h"

namespace gopline::analyzer {

// A corner as fractions of the picture's width and height.
struct Corner {
  double x = 0, y = 0;
  bool operator==(const Corner&) const = default;
};

struct Zone {
  std::string name;             // empty: the whole picture
  std::vector<Corner> corners;  // of a polygon; none: the whole picture
  bool operator==(const Zone&) const = default;
};

// "door@0.1:0.2;0.5:0.2;0.5:0.9": a name and three or more corners, each x:y from 0 to 1. kInvalidArgument
// says what is wrong.
Result<Zone> parse_zone(std::string_view text);
// All of an analyzer's option "zone"; none is one: the whole picture.
std::vector<Zone> read_zones(OptionReader& reader);
bool contains(const Zone& zone, Corner place);

// From `from` to `to`; who looks along it has left and right as usual.
struct Line {
  std::string name;
  Corner from, to;
  bool operator==(const Line&) const = default;
};

// "gate@0.1:0.5;0.9:0.5": a name and two ends. kInvalidArgument says what is wrong.
Result<Line> parse_line(std::string_view text);

// To which side of the line who goes straight from one place to another crosses it; nullopt: he does not. Who
// comes to stand on it has not crossed it yet.
enum class Side { kLeft, kRight };
std::optional<Side> crossing(const Line& line, Corner from, Corner to);

}  // namespace gopline::analyzer
