#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/rational.h"
#include "common/media/types.h"

namespace gopline::media {

// Which ffmpeg program is imitated: they treat timestamps of a stream copy differently.
enum class RemuxDialect {
  kFfmpeg5,  // 5.x (Debian 12)
  kFfmpeg7,  // 7.x (Debian 13)
};

// What the timestamps of one track depend on.
struct RemuxTrack {
  MediaType type = MediaType::kData;
  Rational source_base{1, 1};
  Rational output_base{1, 1};  // what the muxer chose when its header was written
  Rational frame_rate{0, 1};   // average; 0: unknown
  int video_delay = 0;         // pictures of reordering delay
  int sample_rate = 0;
  int frame_size = 0;                      // samples in an audio packet, where that is constant
  std::optional<std::int64_t> start_time;  // of the track, source ticks
};

struct RemuxSettings {
  RemuxDialect dialect = RemuxDialect::kFfmpeg5;
  std::optional<std::int64_t> start_time_us;  // the file's: what becomes zero
  bool timestamps_may_jump = false;           // SourceInfo::timestamps_may_jump
  int wrap_bits = 64;                         // width of the source's timestamps
  bool strict_dts = true;                     // the output wants dts that grow; else they may repeat
  bool has_timestamps = true;                 // the output stores times at all
};

// Times of one packet in ticks of the output's time base.
struct RemuxTimes {
  std::optional<std::int64_t> pts;
  std::optional<std::int64_t> dts;
  std::int64_t duration = 0;
  bool operator==(const RemuxTimes&) const = default;
};

// The times that `ffmpeg -i SOURCE -c copy OUTPUT` would hand to libavformat, packet by packet. In short: the
// file's start becomes zero; where the source's format may jump, jumps of more than ten seconds are closed; a
// missing dts is replaced by the estimate kept per track; sound is rescaled through its sample clock, so that
// coarse source ticks do not add up; at last, dts are made to grow and never to pass pts. Packets before a
// track's first key packet are left out. A pure function of the packets so far; tracks may be interleaved in
// any order that their source had. Not thread-safe.
class RemuxTimestamps {
 public:
  RemuxTimestamps(const RemuxSettings& settings, std::vector<RemuxTrack> tracks);

  // nullopt: ffmpeg leaves this packet out. `audio_samples`: what av_get_audio_frame_duration says of the
  // packet, 0 if unknown.
  std::optional<RemuxTimes> next(const Packet& packet, int audio_samples);

  // Another run of timestamps of these tracks begins, whose `start_time_us` is placed `place_us` after the
  // output's zero. What was promised to the muxer (growing dts) still holds.
  void begin_run(const RemuxSettings& settings, const std::vector<RemuxTrack>& tracks, std::int64_t place_us);

  // Packets are missing here: the next packet of each track says where it is, and is not taken for a fault of
  // the source.
  void expect_hole();

 private:
  struct State {
    RemuxTrack track;
    std::int64_t dts_us;       // estimate for this packet; kNone: none yet
    std::int64_t next_dts_us;  // prediction for the next one
    bool seen = false;         // a packet has come
    bool started = false;      // a packet went out
    bool wrap_settled = false;
    std::int64_t rescale_last;  // sound: end of the last packet, in samples
    std::int64_t last_muxed;    // last dts handed out, output ticks
  };
  struct Stamps {
    std::int64_t pts, dts, duration;  // kNone for unknown
  };

  void restart(std::int64_t place_us);
  void correct_start(State& state);
  void unwrap(State& state, Stamps& stamps) const;
  void apply_offset(const State& state, Stamps& stamps) const;
  void close_jump(State& state, Stamps& stamps);
  void shift(const State& state, Stamps& stamps, std::int64_t by_us) const;
  void estimate(State& state, const Stamps& stamps) const;
  void to_output(State& state, Stamps& stamps, int audio_samples) const;
  void make_muxable(State& state, Stamps& stamps) const;

  RemuxSettings settings_;
  std::vector<State> states_;
  std::int64_t place_us_ = 0;
  std::int64_t offset_us_ = 0;  // added to every timestamp
  std::int64_t jump_us_ = 0;    // added on top by jumps (7.x rounds the two apart, 5.x together)
  std::int64_t last_us_;        // dts of the packet before, of whatever track
};

}  // namespace gopline::media
