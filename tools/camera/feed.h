#pragma once
#include <gst/app/gstappsrc.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tools/camera/clip.h"
#include "tools/camera/options.h"

namespace gopline::camera {

// Plays a clip in an endless loop in real time, whether anybody watches or not.
//
// Each track loops on its own, with its own length, so that no turn leaves a hole or an overlap in its
// timestamps; over many turns sound and pictures of a clip with unequal tracks therefore part company. A
// sample's timestamp is when the picture would have been taken, which with B-frames is before it is sent. All
// times are the camera's, in ns since the clock's beginning. Thread-safe; a thread of its own that the
// destructor joins.
class Feed {
 public:
  Feed(const StreamOptions& options, std::shared_ptr<const Clip> clip);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Where samples go from now on, one source a track. With start=key the clip begins anew, at its burst.
  // The number it returns is for detach(), which does nothing when others were attached since.
  unsigned attach(std::vector<GPtr<GstAppSrc>> sources);
  void detach(unsigned attached);

  // From its beginning, at the next sample. False, and nothing is changed, if its tracks have other codecs.
  bool switch_clip(std::shared_ptr<const Clip> clip);
  void delay_audio(double seconds);

  GstClock* clock() const { return clock_.get(); }
  GstClockTime base_time() const { return base_; }
  int64_t now() const;

 private:
  struct Position {  // in one track
    size_t next = 0;
    int64_t turn = 0;       // ns that all loops before took
    int64_t last_key = -1;  // when one was sent
    double stretch = 1;     // of the clip's times: its frame rate over the true one
    bool fresh = true;      // nothing was sent yet
  };

  void run(std::stop_token stop);
  void rewind(int64_t origin);
  size_t next_track() const;
  int64_t due(size_t track) const;
  void advance(size_t track);
  void push(size_t track, int64_t timestamp);
  void prime(size_t track);
  void notify();
  bool is_withheld(size_t track);

  const StreamOptions options_;
  GPtr<GstClock> clock_;
  GstClockTime base_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::shared_ptr<const Clip> clip_;
  std::vector<GPtr<GstAppSrc>> sources_;
  std::vector<Position> positions_;
  int64_t origin_ = 0;  // when the clip began
  int64_t audio_delay_ = 0;
  unsigned attached_ = 0;
  unsigned changes_ = 0;  // what the thread waits for may be another since
  std::jthread thread_;   // the last member: it uses all others
};

}  // namespace gopline::camera
