#include "tools/camera/feed.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace gopline::camera {
namespace {

// As old as a camera is when the program begins: what it sends at once was taken before.
constexpr GstClockTime kAge = 24 * 3600 * GST_SECOND;

// A clock that is `drift` ppm fast.
GPtr<GstClock> make_clock(double drift) {
  GPtr<GstClock> clock(
      GST_CLOCK(g_object_new(GST_TYPE_SYSTEM_CLOCK, "clock-type", GST_CLOCK_TYPE_MONOTONIC, nullptr)));
  gst_object_ref_sink(clock.get());
  const GstClockTime internal = gst_clock_get_internal_time(clock.get());
  gst_clock_set_calibration(clock.get(), internal, internal + kAge,
                            static_cast<GstClockTime>(std::llround(1e9 + drift * 1e3)), 1000000000);
  return clock;
}

int64_t nanoseconds(double seconds) {
  return std::llround(seconds * 1e9);
}

int64_t scaled(int64_t time, double by) {
  return by == 1 ? time : std::llround(static_cast<double>(time) * by);
}

}  // namespace

Feed::Feed(const StreamOptions& options, std::shared_ptr<const Clip> clip)
    : options_(options),
      clock_(make_clock(options.drift)),
      base_(gst_clock_get_time(clock_.get()) - kAge),
      clip_(std::move(clip)),
      audio_delay_(nanoseconds(options.audio_delay)) {
  rewind(now());
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

Feed::~Feed() = default;

int64_t Feed::now() const {
  return static_cast<int64_t>(gst_clock_get_time(clock_.get()) - base_);
}

unsigned Feed::attach(std::vector<GPtr<GstAppSrc>> sources) {
  std::lock_guard lock(mutex_);
  sources_ = std::move(sources);
  if (options_.from_beginning) rewind(now() - nanoseconds(options_.burst));
  for (size_t track = 0; track < sources_.size(); ++track) prime(track);
  notify();
  return ++attached_;
}

void Feed::detach(unsigned attached) {
  std::lock_guard lock(mutex_);
  if (attached == attached_) sources_.clear();
}

bool Feed::switch_clip(std::shared_ptr<const Clip> clip) {
  std::lock_guard lock(mutex_);
  if (clip->tracks.size() > clip_->tracks.size()) return false;
  for (size_t i = 0; i < clip->tracks.size(); ++i)
    if (clip->tracks[i].codec != clip_->tracks[i].codec) return false;
  clip_ = std::move(clip);
  rewind(now());
  for (size_t i = 0; i < std::min(sources_.size(), clip_->tracks.size()); ++i)
    gst_app_src_set_caps(sources_[i].get(), caps_of(clip_->tracks[i]).get());
  notify();
  return true;
}

void Feed::delay_audio(double seconds) {
  std::lock_guard lock(mutex_);
  audio_delay_ = nanoseconds(seconds);
  notify();
}

// ---- inside: all below is called with the mutex held

void Feed::notify() {
  ++changes_;
  changed_.notify_all();
}

void Feed::rewind(int64_t origin) {
  origin_ = origin;
  positions_.assign(clip_->tracks.size(), Position{});
  if (options_.fps > 0) positions_[0].stretch = clip_->tracks[0].frames_per_second() / options_.fps;
}

// When the track's next sample is sent.
int64_t Feed::due(size_t track) const {
  const Track& media = clip_->tracks[track];
  const Position& at = positions_[track];
  return origin_ + at.turn + scaled(media.samples[at.next].dts + media.reorder, at.stretch) +
         (is_video(media.codec) ? 0 : audio_delay_);
}

size_t Feed::next_track() const {
  size_t first = 0;
  for (size_t track = 1; track < positions_.size(); ++track)
    if (due(track) < due(first)) first = track;
  return first;
}

void Feed::advance(size_t track) {
  const Track& media = clip_->tracks[track];
  Position& at = positions_[track];
  if (++at.next < media.samples.size()) return;
  at.next = 0;
  at.turn += scaled(media.period, at.stretch);
}

bool Feed::is_withheld(size_t track) {
  const Track& media = clip_->tracks[track];
  Position& at = positions_[track];
  if (options_.gop == 0 || !is_video(media.codec) || !media.samples[at.next].key) return false;
  const int64_t time = due(track);
  if (at.last_key >= 0 && time - at.last_key < nanoseconds(options_.gop)) return true;
  at.last_key = time;
  return false;
}

void Feed::push(size_t track, int64_t timestamp) {
  if (track >= sources_.size()) return;
  BufferPtr buffer(
      gst_buffer_new_wrapped_bytes(clip_->tracks[track].samples[positions_[track].next].data.get()));
  GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(std::max<int64_t>(timestamp, 0));
  if (positions_[track].fresh) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  gst_app_src_push_buffer(sources_[track].get(),
                          buffer.release());  // refused when the session is ending: so be it
}

// The server answers nobody before each track has shown a packet. One that is to come late shows its first
// too early; the wire withholds that.
void Feed::prime(size_t track) {
  if (!is_video(clip_->tracks[track].codec) && audio_delay_ > 0) push(track, now());
}

void Feed::run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const size_t track = next_track();
    const int64_t wait = due(track) - now();
    if (wait > 0) {
      const unsigned seen = changes_;
      changed_.wait_for(lock, stop, std::chrono::nanoseconds(wait), [&] { return changes_ != seen; });
      continue;
    }
    const Track& media = clip_->tracks[track];
    const Position& at = positions_[track];
    const int64_t timestamp = origin_ + at.turn + scaled(media.samples[at.next].pts, at.stretch);
    if (!is_withheld(track)) {
      push(track, timestamp);
      positions_[track].fresh = false;
    }
    advance(track);
  }
}

}  // namespace gopline::camera
