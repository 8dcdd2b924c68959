#include "splitter/live/live_split.h"

#include <condition_variable>
#include <filesystem>
#include <thread>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "splitter/live/connection.h"
#include "splitter/live/live_writer.h"
#include "splitter/live/outbox.h"
#include "splitter/pacer.h"

namespace gopline::splitter {
namespace {

OutboxLimits limits_of(const LiveOptions& live) {
  constexpr std::uint64_t kMemoryBeforeSpill = 8 << 20;  // what a kill of the program may cost
  auto memory = live.max_waiting_bytes.value_or(kWaitingBytes);
  if (!live.spill.empty()) memory = std::min(memory, kMemoryBeforeSpill);
  return {memory, live.spill_bytes, live.spill_age};
}

PublisherOptions publisher_options(const SplitOptions& options, const LiveOptions& live) {
  PublisherOptions publisher;
  // What a log that is away holds in memory is lost with the program, too.
  publisher.max_pending_bytes =
      std::min<std::uint64_t>(publisher.max_pending_bytes, limits_of(live).memory_bytes);
  publisher.topic_namespace = options.topic_namespace;
  publisher.stream = options.stream;
  publisher.sha256 = options.sha256;
  publisher.partitions = options.partitions;
  publisher.segment_retention = options.segment_retention;
  publisher.payload = options.payload;
  publisher.blobs = options.blobs;
  publisher.compress = payload::choose_compression(options.compression, "video/mp4", {}).compress;
  return publisher;
}

// Of this stream alone, whatever its id has in it.
std::filesystem::path spill_folder(const std::string& spill, const std::string& stream) {
  return std::filesystem::path(spill) / ("stream-" + percent_encode(stream));
}

// Microseconds that RTP packets which came wait for those before them, by UDP. FFmpeg's 0.1 s is a player's.
constexpr const char* kWaitsForLatePackets = "500000";

// A live source that says nothing for longer has a gap there, not a picture of that length.
constexpr Duration kLongestPause = std::chrono::seconds(2);

// Of packets that are paced here: what a network does to them as well.
constexpr Duration kPacedLateness = std::chrono::milliseconds(50);

// Errors that no attempt mends: FFmpeg lacks the protocol, the URL is none.
bool is_hopeless(const Error& error) {
  return error.code == ErrorCode::kUnsupported || error.code == ErrorCode::kInvalidArgument;
}

bool is_rtsp(std::string_view url) {
  return url.starts_with("rtsp://");  // rtsps is TCP
}

// What can be read once: there is nothing to connect to again.
bool is_standard_input(std::string_view source) {
  return source == "-";
}

// The source's side of a run; the log's side is a LiveWriter on a thread of its own.
class LiveRun {
 public:
  LiveRun(Log& log, const Clock& clock, const SplitOptions& options, const LiveOptions& live,
          const LiveObserver& observer, StopToken stop, std::unique_ptr<Spill> spill)
      : clock_(clock),
        options_(options),
        live_(live),
        observer_(observer),
        stop_(std::move(stop)),
        policy_(live.reconnect, std::random_device()()),
        outbox_(limits_of(live), live.stream_metrics, std::move(spill)),
        writer_(
            log, clock, publisher_options(options, live), outbox_,
            [this](const auto& totals) { show_progress(totals); }, stop_, live.stream_metrics),
        transport_(live.transport) {}

  Result<SplitReport> run() {
    Result<void> written;
    std::optional<Error> hopeless;
    StopSource ended;  // the writer gave up: the source need not go on
    {
      std::jthread writing([&] {
        written = writer_.run();
        if (!written) ended.request_stop();
      });
      std::stop_callback pass_on(stop_, [&] { ended.request_stop(); });
      hopeless = read_until(ended.get_token());
      outbox_.close();
    }
    show({SourceState::kStopped, std::nullopt, "", {}, outages_});
    if (!written) return tl::unexpected<Error>(std::move(written.error()));
    if (hopeless) return tl::unexpected<Error>(std::move(*hopeless));
    auto report = report_;
    report.epoch = writer_.totals().sum;
    report.epochs = writer_.totals().epochs;
    report.outages = outages_;
    report.dropped_bytes = outbox_.usage().dropped_bytes;
    report.cause = at_its_end_ ? EndCause::kEndOfInput : EndCause::kStopped;
    return report;
  }

 private:
  // Connection after connection. An error: none of them can ever succeed.
  std::optional<Error> read_until(const StopToken& stop) {
    while (!stop.stop_requested()) {
      show({SourceState::kConnecting, std::nullopt, "", {}, outages_});
      auto began = clock_.steady_now();
      bool was_live = false;
      auto lost = read_connection(stop, was_live);
      if (stop.stop_requested()) break;
      if (at_its_end_) break;
      if (is_hopeless(lost) || is_standard_input(options_.source)) return lost;
      auto cause = lost.code == ErrorCode::kNotFound && was_live ? OutageCause::kEnded
                                                                 : outage_cause_of(lost, was_live);
      if (falls_back_to_tcp(cause)) continue;
      auto live_for =
          was_live ? std::chrono::duration_cast<Duration>(clock_.steady_now() - began) : Duration{};
      wait(cause, lost, live_for, stop);
    }
    return std::nullopt;
  }

  // UDP through a firewall: the session is set up, and nothing comes.
  bool falls_back_to_tcp(OutageCause cause) {
    if (transport_ != RtspTransport::kUdp || !is_rtsp(options_.source)) return false;
    if (cause != OutageCause::kUnreachable && cause != OutageCause::kHung && cause != OutageCause::kFailed)
      return false;
    if (heard_over_udp_) return false;
    log_warning(options_.stream, "nothing comes by UDP; TCP from now on");
    transport_ = RtspTransport::kTcp;
    return true;
  }

  void wait(OutageCause cause, const Error& error, Duration live_for, const StopToken& stop) {
    ++outages_;
    auto delay = policy_.next_delay(cause, live_for);
    live_.source_metrics.reconnects[cause].add();
    log_warning(options_.stream, "{}; trying again in {:.1f} s", error.message,
                std::chrono::duration<double>(delay).count());
    show({SourceState::kWaiting, cause, error.message, delay, outages_});
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, delay, [] { return false; });
  }

  // Returns why it is over. kCancelled: stopped.
  Error read_connection(const StopToken& stop, bool& was_live) {
    media::DemuxerOptions source{options_.source,     options_.loop,  stop,
                                 live_.input_options, live_.patience, true};
    if (is_rtsp(options_.source)) {
      if (transport_ == RtspTransport::kUdp)  // before what the user says
        source.options.insert(source.options.begin(), {"max_delay", kWaitsForLatePackets});
      source.options.emplace_back("rtsp_transport", transport_ == RtspTransport::kUdp ? "udp" : "tcp");
    }
    auto demuxer = live_.open(source);
    if (!demuxer) return std::move(demuxer.error());
    tell_skipped(**demuxer);
    auto segmenter = options_.segmenter;
    segmenter.longest_pause = kLongestPause;
    Connection connection(**demuxer, clock_, segmenter, live_.capture_time, outbox_, live_.stream_metrics,
                          live_.source_metrics);
    Pacer pacer(clock_, (*demuxer)->tracks(),
                segmenter.latency == Latency::kLow ? Duration{} : kPacedLateness);
    lost_in_connection_ = 0;
    auto lost = read_packets(**demuxer, connection, pacer, stop, was_live);
    at_its_end_ = is_standard_input(options_.source) && lost.code == ErrorCode::kNotFound;
    auto cause = stop.stop_requested() ? EndCause::kStopped
                 : at_its_end_         ? EndCause::kEndOfInput
                                       : EndCause::kSourceLost;
    if (auto finished = connection.finish(cause); !finished) {
      lost = finished.error();
      at_its_end_ = false;
    }
    report_.media_time += connection.media_time();
    pictures_before_ += connection.pictures();
    report_.packets += static_cast<std::uint64_t>(connection.packets());
    report_.corrupt_packets += static_cast<std::uint64_t>(connection.corrupt_packets());
    return lost;
  }

  Error read_packets(media::Demuxer& demuxer, Connection& connection, Pacer& pacer, const StopToken& stop,
                     bool& was_live) {
    bool distrusted = false;
    for (;;) {
      auto packet = demuxer.read();
      if (!packet) return std::move(packet.error());
      // Not kUnavailable, which would be a source that is silent.
      if (!*packet) return {ErrorCode::kNotFound, demuxer.info().name + ": the source has ended"};
      if (options_.rate == ReadRate::kRealtime && !pacer.wait_for(**packet, stop)) {
        return {ErrorCode::kCancelled, demuxer.info().name + ": stopped"};
      }
      if (!std::exchange(was_live, true)) {
        heard_over_udp_ = transport_ == RtspTransport::kUdp;
        if (outages_ > 0) log_warning(options_.stream, "live again after outage {}", outages_);
        show({SourceState::kLive, std::nullopt, "", {}, outages_});
      }
      count_lost(demuxer);
      connection.take(*std::move(*packet));
      if (auto passed = connection.pass_on(); !passed) return std::move(passed.error());
      media_time_ = report_.media_time + connection.media_time();
      pictures_ = pictures_before_ + connection.pictures();
      show_waiting();
      if (!connection.capture_time().is_believed() && !std::exchange(distrusted, true)) {
        log_warning(options_.stream,
                    "the source's clock is off by {:.0f} s: capture times are by arrival until it is right",
                    std::chrono::duration<double>(*connection.capture_time().skew()).count());
      }
    }
  }

  void count_lost(const media::Demuxer& demuxer) {
    auto more = demuxer.lost_packets() - std::exchange(lost_in_connection_, demuxer.lost_packets());
    if (more == 0) return;
    report_.lost_packets += more;
    live_.source_metrics.lost_packets.add(static_cast<double>(more));
    log_warning(options_.stream, "the network loses RTP packets: pictures have holes; TCP loses none");
  }

  // At most once a second: a log that takes nothing reports nothing.
  void show_waiting() {
    auto now = clock_.steady_now();
    if (now - last_shown_ < std::chrono::seconds(1)) return;
    last_shown_ = now;
    auto usage = outbox_.usage();
    live_.source_metrics.spill_bytes.set(static_cast<double>(usage.bytes));
    live_.source_metrics.spill_age.set(usage.oldest ? clock_.now() - *usage.oldest : Duration{});
  }

  void tell_skipped(const media::Demuxer& demuxer) {
    report_.skipped = demuxer.skipped();
    for (const auto& skipped : report_.skipped) {
      log_info(options_.stream, "track {} ({}) is not carried: {}", skipped.source_index, skipped.description,
               skipped.reason);
    }
  }

  void show(SourceStatus status) const {
    live_.source_metrics.state.set(status.state);
    if (observer_.on_status) observer_.on_status(status);
  }

  void show_progress(const LiveWriter::Totals& totals) const {
    if (!observer_.on_progress) return;
    auto usage = outbox_.usage();
    LiveProgress progress;
    progress.written.segments = totals.sum.segments;
    progress.written.bytes = totals.sum.bytes;
    progress.written.media_time = media_time_.load();
    progress.epochs = totals.epochs;
    progress.pictures = pictures_.load();
    progress.waiting_bytes = usage.bytes;
    progress.dropped_bytes = usage.dropped_bytes;
    observer_.on_progress(progress);
  }

  const Clock& clock_;
  const SplitOptions& options_;
  const LiveOptions& live_;
  const LiveObserver& observer_;
  StopToken stop_;
  ReconnectPolicy policy_;
  Outbox outbox_;
  LiveWriter writer_;
  RtspTransport transport_;
  bool heard_over_udp_ = false;
  bool at_its_end_ = false;  // standard input, whose end is the run's
  std::int64_t outages_ = 0;
  std::int64_t lost_in_connection_ = 0;
  SteadyTime last_shown_{};
  std::int64_t pictures_before_ = 0;  // of the connections before this one
  std::atomic<std::int64_t> pictures_ = 0;
  std::atomic<Duration> media_time_{Duration{}};
  SplitReport report_;
};

}  // namespace

std::uint64_t share_of_waiting_bytes(std::size_t sources) {
  constexpr std::uint64_t kAllTogether = 2ULL << 30, kLeast = 4 << 20;
  return std::clamp(kAllTogether / std::max<std::size_t>(sources, 1), kLeast, kWaitingBytes);
}

bool is_live_url(std::string_view source) {
  constexpr std::array<std::string_view, 12> kSchemes{"rtsp", "rtsps", "rtmp", "rtmps", "rtmpt", "rtmpe",
                                                      "srt",  "udp",   "rtp",  "srtp",  "mmsh",  "mmst"};
  auto end = source.find("://");
  return end != std::string_view::npos &&
         std::ranges::find(kSchemes, source.substr(0, end)) != kSchemes.end();
}

Result<SplitReport> split_live(Log& log, const Clock& clock, const SplitOptions& options,
                               const LiveOptions& live, const LiveObserver& observer, StopToken stop) {
  std::unique_ptr<Spill> spill;
  if (!live.spill.empty()) {
    GOPLINE_ASSIGN(spill, Spill::open(spill_folder(live.spill, options.stream)));
    if (!spill->empty())
      log_warning(options.stream, "an earlier run has left {}, which come first",
                  format_bytes(spill->bytes()));
  }
  return LiveRun(log, clock, options, live, observer, std::move(stop), std::move(spill)).run();
}

}  // namespace gopline::splitter
