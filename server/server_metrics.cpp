#include "server/server_metrics.h"

#include <algorithm>

namespace gopline::server {
namespace {

constexpr std::array<std::string_view, kRequestKinds> kNames{
    "page", "api", "events", "playlist", "init", "segment", "part", "clip", "snapshot", "session", "other"};

RequestKind kind_of_file(std::string_view file) {
  if (file.ends_with(".m3u8")) return RequestKind::kPlaylist;
  if (file.starts_with("clip.")) return RequestKind::kClip;
  return file == "snapshot.jpg" ? RequestKind::kSnapshot : RequestKind::kOther;
}

}  // namespace

std::string_view to_string(RequestKind kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

RequestKind kind_of(const http::RequestTarget& target) {
  const auto& path = target.path;
  if (path.empty() || (path[0] != "api" && path[0] != "streams")) return RequestKind::kPage;
  if (path[0] == "api") {
    auto what = path.size() > 1 ? std::string_view(path[1]) : "";
    if (what == "events") return RequestKind::kEvents;
    bool is_session = what == "login" || what == "logout" || what == "me" || what == "links";
    return is_session ? RequestKind::kSession : RequestKind::kApi;
  }
  if (path.size() == 3) return kind_of_file(path[2]);
  if (path.size() != 4) return RequestKind::kOther;
  if (path[2] == "segments" || path[2] == "stored") return RequestKind::kSegment;
  if (path[2] == "parts") return RequestKind::kPart;
  return path[2] == "init" ? RequestKind::kInit : RequestKind::kOther;
}

ServerMetrics::ServerMetrics(metrics::Registry& registry) {
  auto answers = registry.counters("gopline_server_answers_total", "Answers given, by what was asked for");
  auto bytes =
      registry.counters("gopline_server_sent_bytes_total", "Bytes of answers that were given in one piece");
  auto wait = registry.histograms("gopline_server_answer_seconds",
                                  "From a request to the beginning of its answer", metrics::delay_buckets());
  auto transcoding = registry.histograms("gopline_server_transcoding_seconds",
                                         "Transcoding what browsers do not know of a segment, once for all",
                                         metrics::delay_buckets());
  sound_ = transcoding.with({{"media", "sound"}});
  video_ = transcoding.with({{"media", "video"}});
  auto under_way =
      registry.gauges("gopline_server_transcodings", "Segments whose pictures are to be transcoded");
  waiting_ = under_way.with({{"state", "waiting"}});
  running_ = under_way.with({{"state", "running"}});
  abandoned_ = registry
                   .counters("gopline_server_abandoned_transcodings_total",
                             "Segments whose transcoding nobody waited for any longer")
                   .with({});
  for (std::size_t i = 0; i < kRequestKinds; ++i) {
    auto kind = std::string(kNames[i]);
    for (std::size_t status = 0; status < kStatusClasses; ++status)
      kinds_[i].answers[status] =
          answers.with({{"kind", kind}, {"status", std::to_string(status + 2) + "xx"}});
    kinds_[i].bytes = bytes.with({{"kind", kind}});
    kinds_[i].wait = wait.with({{"kind", kind}});
  }
}

void ServerMetrics::count(RequestKind kind, const http::Response& response, Duration waited) const {
  const auto& one = kinds_[static_cast<std::size_t>(kind)];
  one.answers[std::clamp<std::size_t>(response.status / 100, 2, 5) - 2].add();
  one.bytes.add(static_cast<double>(response.body.size()));
  one.wait.observe(waited);
}

}  // namespace gopline::server
