#include "aggregator/outputs/push_delivery.h"

#include <utility>

#include "common/base/logging.h"

namespace gopline::aggregator {
namespace {

constexpr auto kStable = std::chrono::seconds(10);  // a connection that held so long begins the backoff anew

PushDelivery::Connect connect_to(const media::NetworkTarget& target) {
  return [target](const std::vector<media::Track>& tracks, Timestamp zero, const StopToken& stop) {
    return media::NetworkMuxer::connect(target, tracks, zero, stop);
  };
}

// Whether the container would have to say something else of the tracks.
bool differ(const std::vector<media::Track>& a, const std::vector<media::Track>& b) {
  auto same = [](const media::Track& one, const media::Track& other) {
    return one.codec == other.codec && one.source_form == other.source_form;
  };
  return !std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

}  // namespace

PushDelivery::PushDelivery(PushOptions options, const Clock& clock, StopToken stop, Connect connect)
    : options_(std::move(options)),
      clock_(clock),
      stop_(std::move(stop)),
      connect_(connect ? std::move(connect) : connect_to(options_.target)),
      backoff_(std::hash<std::string>{}(options_.stream + options_.target.name)) {}

Result<void> PushDelivery::check(const LiveRun& run) const {
  auto main = static_cast<std::size_t>(media::main_track_of(run.tracks));
  const auto& format = options_.target.format;
  auto carried = media::tracks_for_network(format, run.tracks);
  if (main < carried.size() && carried[main]) return {};
  return fail(ErrorCode::kUnsupported,
              "{}: {} has no word for {} that receivers know; docs/outputs.md lists what goes where",
              options_.target.name, format,
              main < carried.size() ? run.tracks[main].codec.codec : "no track");
}

void PushDelivery::begin_run(const LiveRun& run) {
  bool other = differ(run_.tracks, run.tracks);
  run_ = run;
  main_ = media::main_track_of(run_.tracks);
  carried_ = media::tracks_for_network(options_.target.format, run_.tracks);
  for (std::size_t i = 0; other && i < carried_.size(); ++i) {
    if (carried_[i]) continue;
    log_warning(options_.stream, "{}: {} has no word for track {} ({}) that receivers know: it is left out",
                options_.target.name, options_.target.format, i + 1, run_.tracks[i].codec.codec);
  }
  if (!muxer_ || !other) return;
  auto changed = muxer_->change_tracks(run_.tracks);
  waits_for_key_ = true;
  if (changed && *changed) return;
  if (changed) {
    log_info(options_.stream, "{}: other tracks follow, in a connection of their own", options_.target.name);
    muxer_->finish();
  }
  bytes_before_ += muxer_->bytes_written();
  muxer_.reset();
}

Result<void> PushDelivery::deliver(const LivePacket& packet) {
  auto track = static_cast<std::size_t>(packet.packet.track);
  if (!carried_[track]) {
    ++counters_.left_out;
    return {};
  }
  if (!muxer_ && clock_.steady_now() >= next_attempt_) GOPLINE_TRY(connect());
  bool begins = packet.packet.track == main_ && packet.packet.is_key();
  if (!muxer_ || (waits_for_key_ && !begins)) {
    drop(packet);
    return {};
  }
  auto marked = packet;
  marked.discontinuity = packet.discontinuity || (waits_for_key_ && dropped_since_said_ > 0);
  if (auto written = muxer_->write(marked); !written) {
    drop(packet);
    return lose(written.error());
  }
  if (std::exchange(waits_for_key_, false) && dropped_since_said_ > 0) {
    log_warning(options_.stream, "{}: goes on; {} packets were dropped", options_.target.name,
                std::exchange(dropped_since_said_, 0));
  }
  ++counters_.sent_packets;
  counters_.sent_bytes = bytes_before_ + muxer_->bytes_written();
  return {};
}

void PushDelivery::finish() {
  if (!muxer_) return;
  muxer_->finish();
  counters_.sent_bytes = bytes_before_ + muxer_->bytes_written();
  muxer_.reset();
}

Result<void> PushDelivery::connect() {
  auto muxer = connect_(run_.tracks, run_.zero, stop_);
  if (!muxer) return lose(muxer.error());
  muxer_ = std::move(*muxer);
  waits_for_key_ = true;
  connected_ = clock_.steady_now();
  ++counters_.connections;
  log_info(options_.stream, "{}: connected", options_.target.name);
  return {};
}

// An option that nobody knows, or a protocol that this build has not, will not be better next time.
Result<void> PushDelivery::lose(const Error& why) {
  if (muxer_) {
    bytes_before_ += muxer_->bytes_written();
    if (clock_.steady_now() - connected_ >= kStable) backoff_.succeeded();
  }
  muxer_.reset();
  if (stop_.stop_requested()) return {};
  bool hopeless = why.code == ErrorCode::kInvalidArgument || why.code == ErrorCode::kUnsupported;
  if (!options_.tries_again || hopeless) return tl::unexpected(why);
  auto delay = backoff_.next();
  next_attempt_ = clock_.steady_now() + delay;
  log_warning(options_.stream, "{}: tried again in {:.1f} s; what comes until then is dropped", why.message,
              std::chrono::duration<double>(delay).count());
  return {};
}

void PushDelivery::drop(const LivePacket& packet) {
  ++counters_.dropped_packets;
  counters_.dropped_bytes += packet.packet.data.size();
  ++dropped_since_said_;
}

LiveOutputStats PushDelivery::stats() const {
  LiveOutputStats stats;
  stats.sent_packets = counters_.sent_packets;
  stats.sent_bytes = counters_.sent_bytes;
  stats.dropped_packets = counters_.dropped_packets;
  stats.dropped_bytes = counters_.dropped_bytes;
  stats.left_out_packets = counters_.left_out;
  stats.connections = counters_.connections;
  return stats;
}

}  // namespace gopline::aggregator
