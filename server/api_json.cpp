#include "server/api_json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/base/text.h"

namespace gopline::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kSilence = std::chrono::seconds(15);

Json time_json(const std::optional<Timestamp>& time) {
  return time ? Json(format_rfc3339(*time)) : Json();
}

Json track_json(const media::Track& track) {
  Json out{{"type", media::to_string(track.codec.type)}, {"codec", track.codec.codec}};
  if (track.codec.type == media::MediaType::kVideo) {
    out["width"] = track.codec.width;
    out["height"] = track.codec.height;
  } else if (track.codec.type == media::MediaType::kAudio) {
    out["sample_rate"] = track.codec.sample_rate;
    out["channels"] = track.codec.channel_layout;
  }
  return out;
}

Json stream_json(const StreamView& stream, Timestamp now, bool transcodes) {
  const auto& state = stream.state;
  Json out{{"id", state.stream},
           {"state", to_string(mood_of(stream, now))},
           {"ended", state.ended ? Json(record::to_string(*state.ended)) : Json()},
           {"playable", is_playable(stream, transcodes)},
           {"epoch", state.epoch ? Json(state.epoch->value) : Json()},
           {"from", time_json(state.first_time)},
           {"to", time_json(stream.last_time)},
           {"clock", state.started ? Json(record::to_string(state.started->clock)) : Json()},
           {"tracks", Json::array()}};
  if (state.started) {
    for (const auto& track : state.started->tracks) out["tracks"].push_back(track_json(track));
  }
  return out;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

StreamMood mood_of(const StreamView& stream, Timestamp now) {
  if (stream.state.ended) return StreamMood::kEnded;
  bool is_fresh = stream.last_written && now - *stream.last_written < kSilence;
  return is_fresh ? StreamMood::kLive : StreamMood::kSilent;
}

std::string_view to_string(StreamMood mood) {
  switch (mood) {
    case StreamMood::kLive:
      return "live";
    case StreamMood::kSilent:
      return "silent";
    case StreamMood::kEnded:
      return "ended";
  }
  return "";
}

bool is_playable(const StreamView& stream, bool transcodes) {
  const auto& started = stream.state.started;
  if (!started) return false;
  if (started->content_type.find("/mp4") != std::string::npos) return true;
  return transcodes && std::any_of(started->tracks.begin(), started->tracks.end(), [](const auto& track) {
           return track.codec.type == media::MediaType::kVideo ||
                  track.codec.type == media::MediaType::kAudio;
         });
}

std::string streams_json(const std::vector<StreamView>& streams, Timestamp now, bool transcodes) {
  Json out{{"now", format_rfc3339(now)}, {"streams", Json::array()}};
  for (const auto& stream : streams) out["streams"].push_back(stream_json(stream, now, transcodes));
  return dump(out);
}

std::string health_json(const LogHealth& health, Timestamp now) {
  Json log{{"state", health.is_read ? "read" : "away"},
           {"since", time_json(health.since)},
           {"behind", health.behind ? Json(*health.behind) : Json()},
           {"problem", health.problem.empty() ? Json() : Json(health.problem)}};
  return dump(
      Json{{"now", format_rfc3339(now)}, {"program", "gopline " GOPLINE_VERSION}, {"log", std::move(log)}});
}

std::string timeline_json(const std::string& stream, const Timeline& timeline) {
  Json out{{"stream", stream}, {"ranges", Json::array()}, {"gaps", Json::array()}};
  for (const auto& range : timeline.ranges) {
    out["ranges"].push_back({{"from", format_rfc3339(range.from)},
                             {"to", format_rfc3339(range.to)},
                             {"segments", range.segments}});
  }
  for (const auto& gap : timeline.gaps) {
    out["gaps"].push_back({{"from", format_rfc3339(gap.from)},
                           {"to", format_rfc3339(gap.to)},
                           {"cause", gap.cause},
                           {"bytes", gap.bytes > 0 ? Json(gap.bytes) : Json()}});
  }
  return dump(out);
}

std::string found_json(const std::string& stream, const EventsOfStream& found) {
  Json out{{"stream", stream}, {"complete", found.is_complete}, {"events", Json::array()}};
  for (const auto& event : found.events) {
    Json one{{"id", event.id},
             {"class", event.class_name},
             {"analyzer", event.analyzer},
             {"zone", event.zone.empty() ? Json() : Json(event.zone)},
             {"track", event.track.empty() ? Json() : Json(event.track)},
             {"from", format_rfc3339(event.from)},
             {"to", format_rfc3339(event.to)},
             {"ended", event.ended},
             {"score", event.score ? Json(*event.score) : Json()},
             {"boxes", Json::array()}};
    for (const auto& [time, box] : event.boxes) {
      one["boxes"].push_back({{"time", format_rfc3339(time)},
                              {"x", box.x},
                              {"y", box.y},
                              {"width", box.width},
                              {"height", box.height}});
    }
    out["events"].push_back(std::move(one));
  }
  return dump(out);
}

std::string error_json(std::string_view message) {
  return dump(Json{{"error", message}});
}

}  // namespace gopline::server
