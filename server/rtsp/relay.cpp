#include "server/rtsp/relay.h"

#include <algorithm>
#include <utility>

#include "common/base/logging.h"
#include "server/rtsp/rtp_track.h"

namespace gopline::server {
namespace {

// Before any packet, whatever reordering or a clock that was set back does to capture times.
constexpr auto kBeforeAll = std::chrono::hours(1);

}  // namespace

bool Relay::begin_run(const aggregator::LiveRun& run) {
  std::lock_guard lock(mutex_);
  bool same = run_ > 0 && std::equal(tracks_.begin(), tracks_.end(), run.tracks.begin(), run.tracks.end(),
                                     is_same_to_clients);
  bool told_otherwise = run_ > 0 && !same;
  if (!same) ++run_;
  tracks_ = run.tracks;
  zero_ = run.zero;
  main_ = media::main_track_of(tracks_);
  gop_.clear();
  gop_bytes_ = 0;
  heard_.clear();
  heard_before_.clear();
  if (told_otherwise) watchers_.clear();
  for (auto& watcher : watchers_) {
    watcher->waits_for_key = true;
    for (std::size_t i = 0; i < watcher->sources.size(); ++i) {
      if (watcher->sources[i]) gst_app_src_set_caps(watcher->sources[i].get(), caps_of(tracks_[i]).get());
    }
  }
  return told_otherwise;
}

Result<void> Relay::take(const aggregator::LivePacket& packet) {
  std::lock_guard lock(mutex_);
  auto track = static_cast<std::size_t>(packet.packet.track);
  if (!is_servable(tracks_[track])) {
    ++stats_.left_out_packets;
    return {};
  }
  GOPLINE_ASSIGN(auto payload, payload_of(packet.packet, tracks_[track]));
  auto size = packet.packet.data.size();
  Sample sample{track, packet.packet.pts.value_or(packet.packet.dts.value_or(0)),
                packet.packet.track == main_ && packet.packet.is_key(), packet.discontinuity,
                std::shared_ptr<GstMemory>(std::move(payload))};
  if (sample.key) {
    gop_.clear();
    gop_bytes_ = 0;
    heard_before_ = std::exchange(heard_, {});
  }
  heard_.insert(track);
  for (auto& watcher : watchers_) {
    if (watcher->waits_for_key && sample.key && waiting_bytes(*watcher) < kMostWaitingBytes / 2)
      watcher->waits_for_key = false;
    if (!watcher->waits_for_key && waiting_bytes(*watcher) > kMostWaitingBytes) {
      log_warning(stream_, "an RTSP client does not keep up: it goes on at a later key frame");
      watcher->waits_for_key = true;
    }
    if (watcher->waits_for_key) {
      ++stats_.slow_client_packets;
    } else {
      hand(*watcher, sample);
    }
  }
  ++stats_.sent_packets;
  stats_.sent_bytes += size;
  bool kept = sample.key || !gop_.empty();  // without its beginning, a GOP is of no use
  if (kept && gop_bytes_ + size > kMostGopBytes) {
    gop_.clear();
    gop_bytes_ = 0;
  } else if (kept) {
    gop_.push_back(std::move(sample));
    gop_bytes_ += size;
  }
  return {};
}

std::vector<std::size_t> Relay::offer() {
  std::lock_guard lock(mutex_);
  if (gop_.empty()) return {};
  auto heard = heard_;
  heard.insert(heard_before_.begin(), heard_before_.end());
  return {heard.begin(), heard.end()};
}

std::vector<media::Track> Relay::tracks() {
  std::lock_guard lock(mutex_);
  return tracks_;
}

std::uint64_t Relay::run() {
  std::lock_guard lock(mutex_);
  return run_;
}

Timestamp Relay::base() {
  std::lock_guard lock(mutex_);
  return zero_ - kBeforeAll;
}

void Relay::join(const std::shared_ptr<Watcher>& watcher) {
  std::lock_guard lock(mutex_);
  if (watcher->run != run_) return;  // it is being told to go
  watcher->waits_for_key = gop_.empty();
  for (const auto& sample : gop_) hand(*watcher, sample);
  watchers_.push_back(watcher);
  ++stats_.connections;
}

void Relay::leave(const std::shared_ptr<Watcher>& watcher) {
  std::lock_guard lock(mutex_);
  std::erase(watchers_, watcher);
}

aggregator::LiveOutputStats Relay::stats() {
  std::lock_guard lock(mutex_);
  return stats_;
}

// ---- called with the mutex held

void Relay::hand(const Watcher& watcher, const Sample& sample) {
  const auto& source = watcher.sources[sample.track];
  if (!source) return;
  // By the timeline alone: where its zero has another capture time since, RTP times go on as if it had not.
  auto pts = std::chrono::nanoseconds(kBeforeAll) + std::chrono::microseconds(sample.pts_us);
  BufferPtr buffer(gst_buffer_new());
  gst_buffer_append_memory(buffer.get(), gst_memory_ref(sample.payload.get()));
  GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(std::max<std::int64_t>(pts.count(), 0));
  if (sample.discontinuity) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  gst_app_src_push_buffer(source.get(), buffer.release());  // refused when the client is leaving: so be it
}

std::uint64_t Relay::waiting_bytes(const Watcher& watcher) {
  std::uint64_t bytes = 0;
  for (const auto& source : watcher.sources) {
    if (source) bytes += gst_app_src_get_current_level_bytes(source.get());
  }
  return bytes;
}

}  // namespace gopline::server
