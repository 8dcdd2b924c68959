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

// A camera's crystal: ns since a day before the program began, `drift` ppm fast. Thread-safe.
class Crystal {
 public:
  explicit Crystal(double drift);
  int64_t now() const;
  GstClock* clock() const { return clock_.get(); }
  GstClockTime base_time() const { return base_; }  // of a pipeline whose running time is now()

 private:
  GPtr<GstClock> clock_;
  GstClockTime base_ = 0;
};

// Plays a clip in an endless loop in real time to one session.
//
// Each track loops on its own, with its own length, so that no turn leaves a hole or an overlap in its
// timestamps; over many turns sound and pictures of a clip with unequal tracks therefore part company. A
// sample's timestamp is when the picture would have been taken, which with B-frames is before it is sent.
// Thread-safe; a thread of its own that the destructor joins.
class Feed {
 public:
  using Sources = std::vector<GPtr<GstAppSrc>>;  // one a track, which take samples already

  // `origin` is when the clip began; what should have been sent before `from` is not.
  Feed(const StreamOptions& options, const Crystal& crystal, std::shared_ptr<const Clip> clip,
       Sources sources, int64_t origin, int64_t from, double audio_delay);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  void switch_clip(std::shared_ptr<const Clip> clip);  // of the same codecs: from its beginning, now
  void delay_audio(double seconds);

 private:
  struct Position {  // in one track
    size_t next = 0;
    int64_t turn = 0;       // ns that all loops before took
    int64_t last_key = -1;  // when one was sent
    double stretch = 1;     // of the clip's times: its frame rate over the true one
    bool fresh = true;      // nothing was sent yet
  };

  void run(const std::stop_token& stop);
  void notify();
  void rewind(int64_t origin);
  void skip_to(int64_t time);
  size_t next_track() const;
  int64_t due(size_t track) const;
  void advance(size_t track);
  void push(size_t track, int64_t timestamp);
  bool is_withheld(size_t track);

  const StreamOptions& options_;
  const Crystal& crystal_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::shared_ptr<const Clip> clip_;
  const Sources sources_;
  std::vector<Position> positions_;
  int64_t origin_ = 0;
  int64_t audio_delay_ = 0;
  unsigned changes_ = 0;  // what the thread waits for may be another since
  std::jthread thread_;   // the last member: it uses all others
};

}  // namespace gopline::camera
