#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/media/demuxer.h"
#include "splitter/live/capture_time.h"
#include "splitter/live/metrics.h"
#include "splitter/live/reconnect_policy.h"
#include "splitter/live/source_status.h"
#include "splitter/metrics.h"
#include "splitter/splitter.h"

namespace gopline::splitter {

// RTSP's way of carrying packets. UDP falls back to TCP where nothing comes.
enum class RtspTransport { kTcp, kUdp };

inline constexpr std::uint64_t kWaitingBytes = 64 << 20;

// What one of so many live sources of a process may have waiting, where nobody says: kWaitingBytes, but 2 GiB
// for all together, and never less than 4 MiB.
std::uint64_t share_of_waiting_bytes(std::size_t sources);

struct LiveOptions {
  Duration patience = std::chrono::seconds(10);  // of connecting, and of each wait for a packet
  ReconnectOptions reconnect;
  CaptureTimeOptions capture_time;
  RtspTransport transport = RtspTransport::kTcp;
  // For the log, in memory; beyond, whole GOPs are dropped and said to be. nullopt: kWaitingBytes.
  std::optional<std::uint64_t> max_waiting_bytes;
  // A folder for what the log cannot take now, in which every stream has one of its own; then little waits in
  // memory. Empty: there is none.
  std::string spill;
  std::uint64_t spill_bytes = 10ULL << 30;      // of each stream; beyond, the oldest GOPs are dropped
  Duration spill_age = std::chrono::hours(24);  // and those that are older than the newest by more than this
  std::vector<std::pair<std::string, std::string>> input_options;  // libavformat's
  StreamMetrics stream_metrics;  // what is counted of it; by default nothing
  SourceMetrics source_metrics;
  // Tests put their own sources here.
  std::function<Result<std::unique_ptr<media::Demuxer>>(const media::DemuxerOptions&)> open =
      media::Demuxer::open;
};

struct LiveProgress {
  SplitProgress written;
  std::int64_t epochs = 0;
  std::int64_t pictures = 0;        // packets of the main track that were read
  std::uint64_t waiting_bytes = 0;  // for the log
  std::uint64_t dropped_bytes = 0;
};

// Both may be called from threads of the run, never two at once for one function.
struct LiveObserver {
  std::function<void(const SourceStatus&)> on_status;
  std::function<void(const LiveProgress&)> on_progress;
};

// Whether a source is live by its URL: rtsp, rtmp, srt, udp, rtp and their secure forms.
bool is_live_url(std::string_view source);

// Runs one live source into one stream until `stop`: connects, splits, and after every outage connects again,
// with backoff; only standard input is over when it ends. Each connection is an epoch; what is missing
// between two is a gap of cause `source-outage`. The source's thread never waits for the log: see Outbox. The
// report is of all epochs together. The error is one that trying again cannot mend: of the source's name, of
// the stream, or of the log when all ends.
Result<SplitReport> split_live(Log& log, const Clock& clock, const SplitOptions& options,
                               const LiveOptions& live, const LiveObserver& observer, StopToken stop);

}  // namespace gopline::splitter
