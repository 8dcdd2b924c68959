#include "tools/camera/feed.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace gopline::camera {
namespace {

// As old as a camera is when the program begins: what it sends at once was taken before.
constexpr GstClockTime kAge = GST_SECOND * 3600 * 24;

int64_t nanoseconds(double seconds) {
  return std::llround(seconds * 1e9);
}

int64_t scaled(int64_t time, double by) {
  return by == 1 ? time : std::llround(static_cast<double>(time) * by);
}

}  // namespace

Crystal::Crystal(double drift)
    : clock_(
          GST_CLOCK(g_object_new(GST_TYPE_SYSTEM_CLOCK, "clock-type", GST_CLOCK_TYPE_MONOTONIC, nullptr))) {
  gst_object_ref_sink(clock_.get());
  base_ = gst_clock_get_internal_time(clock_.get());
  const auto rate = static_cast<GstClockTime>(std::llround(1e9 + drift * 1e3));
  gst_clock_set_calibration(clock_.get(), base_, base_ + kAge, rate, GST_SECOND);
}

int64_t Crystal::now() const {
  return static_cast<int64_t>(gst_clock_get_time(clock_.get()) - base_);
}

Feed::Feed(const StreamOptions& options, const Crystal& crystal, std::shared_ptr<const Clip> clip,
           Sources sources, int64_t origin, int64_t from, double audio_delay)
    : options_(options),
      crystal_(crystal),
      clip_(std::move(clip)),
      sources_(std::move(sources)),
      audio_delay_(nanoseconds(audio_delay)) {
  rewind(origin);
  // The server answers nobody before each track has shown a packet. One that is to come late shows its first
  // too early; the wire withholds that.
  for (size_t track = 0; track < sources_.size(); ++track)
    if (!is_video(clip_->tracks[track].codec) && audio_delay_ > 0) push(track, crystal_.now());
  skip_to(from);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Feed::~Feed() = default;

void Feed::switch_clip(std::shared_ptr<const Clip> clip) {
  std::lock_guard lock(mutex_);
  clip_ = std::move(clip);
  rewind(crystal_.now());
  for (size_t i = 0; i < sources_.size(); ++i)
    gst_app_src_set_caps(sources_[i].get(), caps_of(clip_->tracks[i]).get());
  notify();
}

void Feed::delay_audio(double seconds) {
  std::lock_guard lock(mutex_);
  audio_delay_ = nanoseconds(seconds);
  notify();
}

// ---- inside: all below is called with the mutex held, or by the constructor

void Feed::notify() {
  ++changes_;
  changed_.notify_all();
}

void Feed::rewind(int64_t origin) {
  origin_ = origin;
  positions_.assign(clip_->tracks.size(), Position{});
  if (options_.fps > 0) positions_[0].stretch = clip_->tracks[0].frames_per_second() / options_.fps;
}

void Feed::skip_to(int64_t time) {
  for (size_t track = 0; track < positions_.size(); ++track) {
    Position& at = positions_[track];
    const int64_t turn = scaled(clip_->tracks[track].period, at.stretch);
    at.turn = std::max<int64_t>(0, (time - due(track)) / turn) * turn;
    while (due(track) < time) advance(track);
  }
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
  const Sample& sample = clip_->tracks[track].samples[positions_[track].next];
  BufferPtr buffer(gst_buffer_new_wrapped_bytes(sample.data.get()));
  GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(std::max<int64_t>(timestamp, 0));
  if (positions_[track].fresh) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  // Refused when the session is ending: so be it.
  gst_app_src_push_buffer(sources_[track].get(), buffer.release());
}

void Feed::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const size_t track = next_track();
    const int64_t wait = due(track) - crystal_.now();
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
