#include "tools/camera/wire.h"

#include <gst/rtp/gstrtcpbuffer.h>
#include <gst/rtp/gstrtpbuffer.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

namespace gopline::camera {
namespace {

constexpr int kVideoRate = 90000;
constexpr int kOpusRate = 48000;

int rate_of(const Track& track) {
  if (is_video(track.codec)) return kVideoRate;
  return track.codec == Codec::kOpus ? kOpusRate : track.rate;
}

uint32_t ticks(double seconds, int rate) {
  return static_cast<uint32_t>(std::llround(seconds * rate));
}

}  // namespace

// One track of one session. Its numbers are guarded by the wire's mutex.
class Wire::Lane {
 public:
  Lane(Wire& wire, size_t index)
      : wire_(wire),
        rate_(wire.rates_[index]),
        pictures_(wire.pictures_[index]),
        sound_from_(g_get_monotonic_time() + wire.late_),
        random_(wire.loss_.seed * 1000 + index),
        wilds_(wire.wilds_),
        jump_before_(wire.jump_),
        jump_(wire.jump_) {}

  // What becomes of one packet: nothing, itself, or more. Called with the mutex held.
  void pass(BufferPtr packet, std::vector<BufferPtr>& out) {
    if (is_withheld()) {
      ++withheld_;
      return;
    }
    packet = rewritten(std::move(packet));
    if (happens(wire_.loss_.lose)) {
      ++wire_.counters_.lost;
      return;
    }
    const bool twice = happens(wire_.loss_.repeat);
    if (!kept_ && happens(wire_.loss_.reorder)) {
      kept_ = std::move(packet);
      overtakers_ = 1 + static_cast<int>(random_() % kOvertakers);
      ++wire_.counters_.reordered;
      return;
    }
    if (twice) {
      out.emplace_back(gst_buffer_copy(packet.get()));
      ++wire_.counters_.repeated;
    }
    out.push_back(std::move(packet));
    if (kept_ && --overtakers_ <= 0) out.push_back(std::move(kept_));
  }

  // False if the report must not go. Called with the mutex held.
  bool pass_report(BufferPtr& packet) {
    if (wire_.hung_ || !wire_.rtcp_) return false;
    packet.reset(gst_buffer_make_writable(packet.release()));
    GstRTCPBuffer mapped = GST_RTCP_BUFFER_INIT;
    if (!gst_rtcp_buffer_map(packet.get(), GST_MAP_READWRITE, &mapped)) return true;
    GstRTCPPacket report;
    if (gst_rtcp_buffer_get_first_packet(&mapped, &report) &&
        gst_rtcp_packet_get_type(&report) == GST_RTCP_TYPE_SR)
      rewrite(report);
    gst_rtcp_buffer_unmap(&mapped);
    return true;
  }

 private:
  static constexpr int kOvertakers = 3;  // at most so many packets come before one that was sent earlier

  bool happens(double chance) { return chance > 0 && std::generate_canonical<double, 32>(random_) < chance; }

  bool is_withheld() const {
    return wire_.hung_ || (!pictures_ && (wire_.muted_ || g_get_monotonic_time() < sound_from_));
  }

  uint32_t jumped() const { return ticks(jump_ - jump_before_, rate_); }

  BufferPtr rewritten(BufferPtr packet) {
    packet.reset(gst_buffer_make_writable(packet.release()));
    GstRTPBuffer mapped = GST_RTP_BUFFER_INIT;
    if (!gst_rtp_buffer_map(packet.get(), GST_MAP_READWRITE, &mapped)) return packet;
    const uint32_t original = gst_rtp_buffer_get_timestamp(&mapped);
    // All packets of a picture have its timestamp, so a jump and a wild one begin with the next that is
    // another.
    if (previous_ && *previous_ != original) jump_ = wire_.jump_;
    uint32_t timestamp = original + jumped();
    if (pictures_ && wilds_ != wire_.wilds_ && previous_ && *previous_ != original) {
      wild_picture_ = original;
      wild_ticks_ = ticks(wire_.wild_, rate_);
      wilds_ = wire_.wilds_;
    }
    if (wild_picture_ == original) timestamp += wild_ticks_;
    previous_ = original;
    gst_rtp_buffer_set_timestamp(&mapped, timestamp);
    gst_rtp_buffer_set_seq(&mapped, static_cast<uint16_t>(gst_rtp_buffer_get_seq(&mapped) - withheld_));
    gst_rtp_buffer_unmap(&mapped);
    return packet;
  }

  void rewrite(GstRTCPPacket& report) const {
    guint32 source = 0, rtp = 0, packets = 0, bytes = 0;
    guint64 ntp = 0;
    gst_rtcp_packet_sr_get_sender_info(&report, &source, &ntp, &rtp, &packets, &bytes);
    const double age = static_cast<double>(g_get_monotonic_time() - wire_.began_) * 1e-6;
    const double ahead = wire_.clock_ + age * wire_.drift_ * 1e-6;
    ntp += static_cast<guint64>(
        std::llround(ahead * 4294967296.0));  // modulo 2^64, as the sum of fixed-point numbers is
    gst_rtcp_packet_sr_set_sender_info(&report, source, ntp, rtp + jumped(), packets, bytes);
  }

  Wire& wire_;
  const int rate_;
  const bool pictures_;
  const gint64 sound_from_;
  std::mt19937_64 random_;
  uint16_t withheld_ = 0;
  BufferPtr kept_;
  int overtakers_ = 0;
  std::optional<uint32_t> previous_, wild_picture_;
  uint32_t wild_ticks_ = 0;
  unsigned wilds_;            // so many have passed
  const double jump_before_;  // of this session, whose timestamps begin anywhere
  double jump_;               // as far as this track has got

 public:
  Wire& wire() const { return wire_; }
};

struct Wire::LaneProbe {
  std::shared_ptr<Wire> wire;  // a session may end later than its stream
  std::shared_ptr<Lane> lane;  // of the packets and of their reports, which jump together
};

Wire::Wire(const StreamOptions& options, const Clip& clip)
    : began_(g_get_monotonic_time()),
      // A delayed sound shows its first piece before its time, for DESCRIBE; nobody shall hear it.
      late_(static_cast<gint64>(std::max(options.audio_late, options.audio_delay * 0.9) * 1e6)),
      drift_(options.drift),
      clock_(options.clock),
      rtcp_(options.rtcp),
      loss_(options.loss) {
  for (const Track& track : clip.tracks) {
    rates_.push_back(rate_of(track));
    pictures_.push_back(is_video(track.codec));
  }
}

void Wire::guard(GstElement* rtpbin) {
  g_signal_connect(rtpbin, "pad-added", G_CALLBACK(&Wire::on_pad), this);
}

void Wire::on_pad(GstElement* rtpbin, GstPad* pad, gpointer wire) {
  auto& self = *static_cast<Wire*>(wire);
  const GStringPtr name(gst_pad_get_name(pad));
  unsigned index = 0;
  const bool rtp = std::sscanf(name.get(), "send_rtp_src_%u", &index) == 1;
  if (!rtp && std::sscanf(name.get(), "send_rtcp_src_%u", &index) != 1) return;
  if (index >= self.rates_.size()) return;
  std::lock_guard lock(self.mutex_);
  auto* probe = new LaneProbe{self.shared_from_this(), self.lane(rtpbin, index)};
  const auto what = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
  gst_pad_add_probe(pad, what, rtp ? &Wire::on_rtp : &Wire::on_rtcp, probe,
                    [](gpointer p) { delete static_cast<LaneProbe*>(p); });
}

std::shared_ptr<Wire::Lane> Wire::lane(const GstElement* rtpbin, unsigned index) {
  std::erase_if(lanes_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Lane>& known = lanes_[{rtpbin, index}];
  std::shared_ptr<Lane> lane = known.lock();
  if (!lane) known = lane = std::make_shared<Lane>(*this, index);
  return lane;
}

GstPadProbeReturn Wire::on_rtp(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  Lane& lane = *static_cast<LaneProbe*>(data)->lane;
  std::vector<BufferPtr> out;
  {
    std::lock_guard lock(lane.wire().mutex_);
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
      GstBufferList* list = gst_pad_probe_info_get_buffer_list(info);
      for (guint i = 0; i < gst_buffer_list_length(list); ++i)
        lane.pass(BufferPtr(gst_buffer_ref(gst_buffer_list_get(list, i))), out);
    } else {
      lane.pass(BufferPtr(gst_buffer_ref(gst_pad_probe_info_get_buffer(info))), out);
    }
    lane.wire().counters_.sent += out.size();
  }
  const GPtr<GstPad> peer(gst_pad_get_peer(pad));
  GstFlowReturn flow = GST_FLOW_OK;
  for (BufferPtr& packet : out)
    if (peer && flow == GST_FLOW_OK) flow = gst_pad_chain(peer.get(), packet.release());
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = flow;
  gst_mini_object_unref(GST_MINI_OBJECT_CAST(info->data));
  info->data = nullptr;
  return GST_PAD_PROBE_HANDLED;
}

GstPadProbeReturn Wire::on_rtcp(GstPad*, GstPadProbeInfo* info, gpointer data) {
  if (!(info->type & GST_PAD_PROBE_TYPE_BUFFER)) return GST_PAD_PROBE_OK;
  Lane& lane = *static_cast<LaneProbe*>(data)->lane;
  BufferPtr packet(gst_pad_probe_info_get_buffer(info));
  std::lock_guard lock(lane.wire().mutex_);
  const bool goes = lane.pass_report(packet);
  if (goes) ++lane.wire().counters_.reports;
  info->data = packet.release();  // what is dropped, GStreamer releases
  return goes ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

void Wire::hang(bool on) {
  std::lock_guard lock(mutex_);
  hung_ = on;
}

void Wire::mute(bool on) {
  std::lock_guard lock(mutex_);
  muted_ = on;
}

void Wire::wild(double seconds) {
  std::lock_guard lock(mutex_);
  wild_ = seconds;
  ++wilds_;
}

void Wire::jump(double seconds) {
  std::lock_guard lock(mutex_);
  jump_ += seconds;
}

void Wire::set_clock(double seconds) {
  std::lock_guard lock(mutex_);
  clock_ = seconds;
}

void Wire::set_rtcp(bool on) {
  std::lock_guard lock(mutex_);
  rtcp_ = on;
}

void Wire::set_loss(const Loss& loss) {
  std::lock_guard lock(mutex_);
  loss_ = loss;
}

WireCounters Wire::counters() const {
  std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace gopline::camera
