#include "aggregator/recorder/recording.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/bytes/digest.h"

namespace gopline::aggregator {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "gopline.recording.v1";
constexpr std::string_view kOnlyGaps = "-gap";
constexpr std::size_t kLongestFolder = 200;
constexpr std::size_t kTimeLength = 24;  // "2026-11-22T18-30-00.040Z"

Json json_of(const std::optional<Timestamp>& time) {
  return time ? Json(format_rfc3339(*time)) : Json();
}

Json json_of(const Absence& gap) {
  Json json{{"cause", to_string(gap.cause)},
            {"from", json_of(gap.from)},
            {"to", json_of(gap.to)},
            {"epoch", gap.epoch.value}};
  json["first_segment"] = gap.first_segment ? Json(gap.first_segment->value) : Json();
  json["segments"] = gap.segments;
  json["bytes"] = gap.bytes;
  json["reason"] = gap.reason;
  if (!gap.uri.empty()) json["uri"] = gap.uri;
  return json;
}

}  // namespace

std::string_view to_string(FileEnd end) {
  switch (end) {
    case FileEnd::kInterval:
      return "interval";
    case FileEnd::kDiscontinuity:
      return "discontinuity";
    case FileEnd::kGap:
      return "gap";
    case FileEnd::kParameters:
      return "parameters";
    case FileEnd::kEpochEnded:
      return "epoch-ended";
    case FileEnd::kIdle:
      return "idle";
    case FileEnd::kStopped:
      return "stopped";
    case FileEnd::kHandedOver:
      return "handed-over";
  }
  return "interval";
}

std::string to_json(const Recording& recording) {
  Json json{{"format", kFormat}, {"stream", recording.stream}};
  json["file"] = recording.file.empty() ? Json() : Json(recording.file);
  if (!recording.file.empty()) {
    json["container"] = recording.container;
    json["bytes"] = recording.bytes;
    json["from"] = format_rfc3339(recording.from);
    json["to"] = format_rfc3339(recording.to);
    json["clock"] = record::to_string(recording.clock);
    json["ended"] = to_string(recording.end);
    json["access_point"] = recording.access_point;
    if (recording.first_ordinal) json["first_ordinal"] = recording.first_ordinal->value;
  }
  json["epoch"] = recording.epoch.value;
  json["first_segment"] = recording.first_segment;
  json["next_segment"] = recording.next_segment;
  json["next_gap"] = recording.next_gap;
  json["partition"] = recording.partition.value;
  json["first_offset"] = recording.first_offset ? Json(recording.first_offset->value) : Json();
  json["gaps"] = Json::array();
  for (const auto& gap : recording.gaps) json["gaps"].push_back(json_of(gap));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Recording> parse_recording(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  Recording recording;
  try {
    if (json.is_discarded() || json.at("format") != kFormat)
      return fail(ErrorCode::kCorrupt, "not a recording's JSON");
    recording.stream = json.at("stream").get<std::string>();
    if (const auto& file = json.at("file"); !file.is_null()) recording.file = file.get<std::string>();
    recording.epoch = EpochNumber(json.at("epoch").get<std::int64_t>());
    recording.first_segment = json.at("first_segment").get<std::int64_t>();
    recording.next_segment = json.at("next_segment").get<std::int64_t>();
    recording.next_gap = json.at("next_gap").get<std::int64_t>();
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kCorrupt, "not a recording's JSON: {}", error.what());
  }
  return recording;
}

std::string recording_name(Timestamp from, EpochNumber epoch, std::int64_t segment, bool only_gaps) {
  auto time = format_rfc3339(from).substr(0, kTimeLength - 1) + "Z";
  std::ranges::replace(time, ':', '-');  // not every file system takes colons
  return fmt::format("{}_{}-{}{}", time, epoch, segment, only_gaps ? kOnlyGaps : "");
}

bool is_recording_name(std::string_view name) {
  if (name.size() <= kTimeLength || name[kTimeLength] != '_') return false;
  std::string time(name.substr(0, kTimeLength));
  if (time[13] != '-' || time[16] != '-') return false;
  time[13] = time[16] = ':';
  if (!parse_rfc3339(time)) return false;
  auto rest = name.substr(kTimeLength + 1);
  if (rest.ends_with(kOnlyGaps)) rest.remove_suffix(kOnlyGaps.size());
  auto dash = rest.find('-');
  return dash != rest.npos && parse_int64(rest.substr(0, dash)) && parse_int64(rest.substr(dash + 1));
}

std::string recording_folder(std::string_view stream) {
  auto name = percent_encode(stream);
  if (name.find_first_not_of('.') == name.npos) name.replace(0, 1, "%2E");  // "." and ".." are taken
  if (name.size() <= kLongestFolder) return name;
  auto hash = xxh3_hex({reinterpret_cast<const std::uint8_t*>(stream.data()), stream.size()});
  return name.substr(0, kLongestFolder) + "~" + hash;
}

}  // namespace gopline::aggregator
