#include "cli/stream_summary.h"

#include <algorithm>

#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"
#include "common/catalog/history.h"

namespace gopline::cli {

using nlohmann::ordered_json;

Result<StreamSummary> summarize(const OpenedLog& log, const record::StreamState& state) {
  StreamSummary summary;
  summary.state = state;
  if (state.epoch) summary.epochs.insert(*state.epoch);
  GOPLINE_ASSIGN(auto entries, catalog::find_segments(*log.log, log.topics, state));
  for (const auto& entry : entries) {
    summary.epochs.insert(entry.epoch);
    summary.first_time = summary.first_time ? std::min(*summary.first_time, entry.time) : entry.time;
    summary.last_time = summary.last_time ? std::max(*summary.last_time, entry.end_time()) : entry.end_time();
    summary.duration += to_duration(entry.duration);
    summary.bytes += entry.size;
    ++summary.segments;
    if (entry.gap) summary.gaps.push_back({entry.epoch, entry.segment, *entry.gap});
  }
  return summary;
}

std::string state_word(const record::StreamState& state) {
  return state.ended ? std::string(record::to_string(*state.ended)) : "open";
}

std::string streams_table(const std::vector<StreamSummary>& streams) {
  Table table({{"STREAM"},
               {"STATE"},
               {"EPOCHS", Align::kRight},
               {"FIRST (UTC)"},
               {"LAST (UTC)"},
               {"DURATION", Align::kRight},
               {"SEGMENTS", Align::kRight},
               {"BYTES", Align::kRight},
               {"GAPS", Align::kRight},
               {"CODECS"}});
  for (const auto& stream : streams) {
    table.add_row({stream.state.stream, state_word(stream.state), std::to_string(stream.epochs.size()),
                   show_time(stream.first_time), show_time(stream.last_time),
                   format_duration(stream.duration), show_count(stream.segments), format_bytes(stream.bytes),
                   std::to_string(stream.gaps.size()),
                   stream.state.started ? show_tracks(stream.state.started->tracks) : "-"});
  }
  return table.to_string();
}

ordered_json json_time(std::optional<Timestamp> time) {
  return time ? ordered_json(format_rfc3339(*time)) : ordered_json();
}

ordered_json json_of(const media::Track& track) {
  ordered_json json{
      {"track", track.id}, {"type", media::to_string(track.codec.type)}, {"codec", track.codec.codec}};
  json["time_base"] = to_string(track.time_base);
  if (track.codec.type == media::MediaType::kVideo) {
    json["width"] = track.codec.width;
    json["height"] = track.codec.height;
  }
  if (track.codec.type == media::MediaType::kAudio) {
    json["sample_rate"] = track.codec.sample_rate;
    json["channel_layout"] = track.codec.channel_layout;
  }
  return json;
}

ordered_json json_of(const FoundGap& gap) {
  return {{"epoch", gap.epoch.value},
          {"segment", gap.before.value},
          {"cause", record::to_string(gap.facts.cause)},
          {"from", format_rfc3339(gap.facts.from)},
          {"to", format_rfc3339(gap.facts.to)},
          {"bytes", gap.facts.bytes}};
}

ordered_json json_of(const StreamSummary& summary) {
  const auto& state = summary.state;
  ordered_json json;
  json["stream"] = state.stream;
  json["state"] = state_word(state);
  json["partition"] = state.partition.value;
  json["epoch"] = state.epoch ? ordered_json(state.epoch->value) : ordered_json();
  json["epochs"] = summary.epochs.size();
  json["first_time"] = json_time(summary.first_time);
  json["last_time"] = json_time(summary.last_time);
  json["duration_seconds"] = static_cast<double>(summary.duration.count()) / 1e6;
  json["segments"] = summary.segments;
  json["bytes"] = summary.bytes;
  json["last_ordinal"] = state.ordinal ? ordered_json(state.ordinal->value) : ordered_json();
  json["discontinuities"] = state.discontinuities;
  json["tracks"] = ordered_json::array();
  if (state.started) {
    json["source"] = state.started->source.name;
    json["content_type"] = state.started->content_type;
    for (const auto& track : state.started->tracks) json["tracks"].push_back(json_of(track));
  }
  json["gaps"] = ordered_json::array();
  for (const auto& gap : summary.gaps) json["gaps"].push_back(json_of(gap));
  return json;
}

}  // namespace gopline::cli
