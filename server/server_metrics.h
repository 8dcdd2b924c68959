#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/http/message.h"
#include "common/http/request_target.h"
#include "common/metrics/registry.h"

// Every metric of the playback server. docs/metrics.md says what each means; a test holds it to the code.
namespace gopline::server {

// What was asked for.
enum class RequestKind {
  kPage,
  kApi,
  kEvents,
  kPlaylist,
  kInit,
  kSegment,
  kPart,
  kClip,
  kSnapshot,
  kSession,
  kOther
};
inline constexpr std::size_t kRequestKinds = 11;
std::string_view to_string(RequestKind kind);  // "page", "api", "events", "playlist" ...
RequestKind kind_of(const http::RequestTarget& target);

// One made from nothing counts nothing. Copies count the same. Thread-safe.
class ServerMetrics {
 public:
  ServerMetrics() = default;
  explicit ServerMetrics(metrics::Registry& registry);  // once for a registry, which outlives it

  // An answer begins that was waited for so long.
  void count(RequestKind kind, const http::Response& response, Duration waited) const;
  // The sound, or the pictures, of a segment were transcoded, which took so long.
  void count_transcoded_sound(Duration taken) const { sound_.observe(taken); }
  void count_transcoded_video(Duration taken) const { video_.observe(taken); }
  // So many more, or fewer, segments whose pictures wait to be transcoded, or are.
  void count_waiting_transcodings(int more) const { waiting_.add(more); }
  void count_running_transcodings(int more) const { running_.add(more); }
  // Nobody waited for it any longer.
  void count_abandoned_transcoding() const { abandoned_.add(); }

 private:
  static constexpr std::size_t kStatusClasses = 4;  // 2xx to 5xx
  struct OfKind {
    std::array<metrics::Counter, kStatusClasses> answers;
    metrics::Counter bytes;
    metrics::Histogram wait;
  };
  std::array<OfKind, kRequestKinds> kinds_;
  metrics::Histogram sound_, video_;
  metrics::Gauge waiting_, running_;
  metrics::Counter abandoned_;
};

}  // namespace gopline::server
