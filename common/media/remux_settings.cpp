#include "common/media/remux_settings.h"

#include "common/media/output_context.h"

namespace gopline::media {

RemuxSettings remux_settings(const SourceInfo& source) {
  RemuxSettings settings;
  settings.dialect = kDialect;
  settings.start_time_us = source.start_time_us;
  settings.timestamps_may_jump = source.timestamps_may_jump;
  if (is_one_of(source.format, {"mpegts", "mpegtsraw", "mpeg", "hls"})) settings.wrap_bits = 33;
  if (is_one_of(source.format, {"flv", "live_flv"})) settings.wrap_bits = 32;
  return settings;
}

RemuxTrack remux_track(const Track& track, Rational output_base) {
  return {.type = track.codec.type,
          .source_base = track.time_base,
          .output_base = output_base,
          .frame_rate = track.avg_frame_rate,
          .video_delay = track.codec.video_delay,
          .sample_rate = track.codec.sample_rate,
          .frame_size = track.codec.frame_size,
          .start_time = track.start_time};
}

}  // namespace gopline::media
