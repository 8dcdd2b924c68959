#include "common/record/event_type.h"

#include <array>
#include <utility>

namespace gopline::record {
namespace {

constexpr std::string_view kPrefix = "gopline.";
constexpr std::array<std::pair<EventType, std::string_view>, 10> kTypes{{
    {EventType::kSegment, "gopline.segment.v1"},
    {EventType::kEpochStarted, "gopline.epoch.started.v1"},
    {EventType::kEpochEnded, "gopline.epoch.ended.v1"},
    {EventType::kGap, "gopline.gap.v1"},
    {EventType::kIndex, "gopline.index.v1"},
    {EventType::kIndexHour, "gopline.index.hour.v1"},
    {EventType::kStream, "gopline.stream.v1"},
    {EventType::kDetection, "gopline.detection.v1"},
    {EventType::kFile, "gopline.file.v1"},
    {EventType::kDead, "gopline.dead.v1"},
}};

// "gopline.segment" of "gopline.segment.v1"; empty where there is no version at the end.
std::string_view without_version(std::string_view type) {
  auto dot = type.rfind(".v");
  if (dot == std::string_view::npos || dot + 2 == type.size()) return {};
  bool digits = type.find_first_not_of("0123456789", dot + 2) == std::string_view::npos;
  return digits ? type.substr(0, dot) : std::string_view();
}

}  // namespace

std::string_view to_string(EventType type) {
  for (auto [candidate, name] : kTypes) {
    if (candidate == type) return name;
  }
  return {};
}

Result<EventType> event_type_of(const Headers& headers) {
  auto name = find_header(headers, "ce_type");
  if (!name || !name->starts_with(kPrefix)) return EventType::kUnknown;
  for (auto [type, known] : kTypes) {
    if (known != *name) continue;
    auto version = find_header(headers, "ce_specversion");
    if (version == "1.0") return type;
    return fail(ErrorCode::kUnsupported,
                "a {} record in CloudEvents version '{}': this program reads 1.0; upgrade gopline here",
                *name, version.value_or("(none)"));
  }
  auto stem = without_version(*name);
  for (auto [type, known] : kTypes) {
    if (stem.empty() || without_version(known) != stem) continue;
    return fail(
        ErrorCode::kUnsupported,
        "a record of type {} was written by a newer gopline: this program reads {}; upgrade gopline here",
        *name, known);
  }
  return EventType::kUnknown;
}

}  // namespace gopline::record
