#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "tools/camera/clip.h"
#include "tools/camera/options.h"

namespace gopline::camera {

// What was done to RTP packets since the stream began.
struct WireCounters {
  uint64_t sent = 0;
  uint64_t lost = 0;
  uint64_t repeated = 0;
  uint64_t reordered = 0;
  uint64_t reports = 0;  // RTCP
};

// The last thing between the RTP session and the sockets: it withholds, alters, loses, repeats and reorders
// what passes.
//
// A packet that is withheld (a hung camera, sound that is off) was never sent, so numbers go on without a
// hole behind it; one that is lost leaves a hole. Sender reports follow what is done to the timestamps.
// Settings hold for all sessions of the stream, those to come as well. Thread-safe.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  Wire(const StreamOptions& options, const Clip& clip);

  // Watches over a session's packets from now on; `rtpbin` has no pads yet.
  void guard(GstElement* rtpbin);

  void hang(bool on);
  void mute(bool on);              // sound alone
  void wild(double seconds);       // the next picture's timestamp is so far off
  void jump(double seconds);       // from the next picture on all timestamps are
  void set_clock(double seconds);  // the wall clock in sender reports is ahead
  void set_rtcp(bool on);
  void set_loss(const Loss& loss);
  WireCounters counters() const;

 private:
  class Lane;  // one track of one session
  struct LaneProbe;

  // Of a session's track: the one that is there, or a new one. Called with the mutex held.
  std::shared_ptr<Lane> lane(const GstElement* rtpbin, unsigned index);

  static void on_pad(GstElement* rtpbin, GstPad* pad, gpointer wire);
  static GstPadProbeReturn on_rtp(GstPad* pad, GstPadProbeInfo* info, gpointer lane);
  static GstPadProbeReturn on_rtcp(GstPad* pad, GstPadProbeInfo* info, gpointer lane);

  mutable std::mutex mutex_;
  std::vector<int> rates_;  // RTP ticks a second, per track
  std::vector<bool> pictures_;
  gint64 began_;  // of the monotonic clock, in us, as is
  gint64 late_;   // the time without sound at a session's start
  double drift_;
  double clock_;
  double jump_ = 0;
  double wild_ = 0;
  unsigned wilds_ = 0;  // so often was one asked for
  bool hung_ = false;
  bool muted_ = false;
  bool rtcp_;
  Loss loss_;
  WireCounters counters_;
  std::map<std::pair<const GstElement*, unsigned>, std::weak_ptr<Lane>> lanes_;
};

}  // namespace gopline::camera
