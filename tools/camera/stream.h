#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tools/camera/feed.h"
#include "tools/camera/media.h"
#include "tools/camera/wire.h"

namespace gopline::camera {

// One camera of the many that a process can be: its clip, its clock, and what is wrong with it. Who watches
// has a session of their own. Thread-safe.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  explicit Stream(StreamOptions options);  // throws std::runtime_error

  const StreamOptions& options() const { return options_; }
  Wire& wire() { return *wire_; }
  void switch_clip(const std::string& path);  // for all sessions; throws std::runtime_error
  void delay_audio(double seconds);
  bool is_refusing() const { return refusing_; }
  void refuse(bool on) { refusing_ = on; }
  unsigned sessions() const { return sessions_; }  // that were made since the beginning

  // What makes its sessions; it keeps the stream alive. Who plays `role` may watch.
  GPtr<GstRTSPMediaFactory> make_factory(GstRTSPAddressPool* udp_ports, const char* role);

 private:
  struct Session;  // what the callbacks of a session need

  void configure(GstRTSPMedia* media);
  std::shared_ptr<const Clip> clip();
  void set_timestamp_offset(GstElement* payloader, int rate) const;
  void change_description(GstSDPMessage* sdp) const;
  void set_report_interval(GstRTSPMedia* media) const;
  void begin(Session& session);

  const StreamOptions options_;
  const Crystal crystal_;
  std::mutex mutex_;
  std::shared_ptr<const Clip> clip_;
  int64_t began_;  // when the clip did, for those to whom it runs on
  double audio_delay_;
  std::vector<std::weak_ptr<Feed>> feeds_;
  const std::shared_ptr<Wire> wire_;
  std::atomic<bool> refusing_ = false;
  std::atomic<unsigned> sessions_ = 0;
};

}  // namespace gopline::camera
