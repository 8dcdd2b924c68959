#include "analyzer/zones.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace gopline::analyzer {
namespace {

std::optional<double> fraction(std::string_view text) {
  double value = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool good = failed == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= 1;
  return good ? std::optional(value) : std::nullopt;
}

struct NamedCorners {
  std::string name;
  std::vector<Corner> corners;
};

// "NAME@x:y;x:y".
Result<NamedCorners> parse_corners(std::string_view text, std::string_view what, std::string_view form) {
  auto wrong = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidArgument, "{} '{}': {}; write {} with x and y from 0 to 1", what, text,
                why, form);
  };
  auto at = text.find('@');
  if (at == 0 || at == std::string_view::npos) return wrong("it has no name");
  NamedCorners named{std::string(text.substr(0, at)), {}};
  auto rest = text.substr(at + 1);
  while (!rest.empty()) {
    auto end = std::min(rest.find(';'), rest.size());
    auto corner = rest.substr(0, end);
    auto colon = corner.find(':');
    auto x = fraction(corner.substr(0, colon));
    auto y = colon == std::string_view::npos ? std::nullopt : fraction(corner.substr(colon + 1));
    if (!x || !y) return wrong("'" + std::string(corner) + "' is no corner");
    named.corners.push_back({*x, *y});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return named;
}

// Twice the area of a triangle; above 0 where `place` lies to the right of who looks from `from` to `to`, for
// y goes down.
double turn(Corner from, Corner to, Corner place) {
  return (to.x - from.x) * (place.y - from.y) - (to.y - from.y) * (place.x - from.x);
}

}  // namespace

Result<Zone> parse_zone(std::string_view text) {
  constexpr std::string_view kForm = "NAME@x:y;x:y;x:y";
  GOPLINE_ASSIGN(auto named, parse_corners(text, "zone", kForm));
  if (named.corners.size() < 3) {
    return fail(ErrorCode::kInvalidArgument, "zone '{}': a polygon has three corners or more; write {}", text,
                kForm);
  }
  return Zone{std::move(named.name), std::move(named.corners)};
}

std::vector<Zone> read_zones(OptionReader& reader) {
  std::vector<Zone> zones;
  for (const auto& text : reader.all("zone")) {
    auto zone = parse_zone(text);
    if (!zone) reader.complain("zone", zone.error().message);
    zones.push_back(zone.value_or(Zone{}));
  }
  if (zones.empty()) zones.emplace_back();
  return zones;
}

bool contains(const Zone& zone, Corner place) {
  if (zone.corners.empty()) return true;
  bool inside = false;
  auto before = zone.corners.back();
  for (const auto& corner : zone.corners) {
    bool spans = (corner.y > place.y) != (before.y > place.y);
    if (spans && place.x < corner.x + (before.x - corner.x) * (place.y - corner.y) / (before.y - corner.y))
      inside = !inside;
    before = corner;
  }
  return inside;
}

Result<Line> parse_line(std::string_view text) {
  GOPLINE_ASSIGN(auto named, parse_corners(text, "line", "NAME@x:y;x:y"));
  if (named.corners.size() != 2 || named.corners[0] == named.corners[1])
    return fail(ErrorCode::kInvalidArgument, "line '{}': it has two ends; write NAME@x:y;x:y", text);
  return Line{std::move(named.name), named.corners[0], named.corners[1]};
}

std::optional<Side> crossing(const Line& line, Corner from, Corner to) {
  bool was_right = turn(line.from, line.to, from) > 0, is_right = turn(line.from, line.to, to) > 0;
  if (was_right == is_right) return std::nullopt;
  if ((turn(from, to, line.from) > 0) == (turn(from, to, line.to) > 0)) return std::nullopt;  // beside it
  return is_right ? Side::kRight : Side::kLeft;
}

}  // namespace gopline::analyzer
