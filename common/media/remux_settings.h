#pragma once
#include "common/media/remux_timestamps.h"

namespace gopline::media {

// What the timestamps of a source depend on, for an output that stores times and wants dts that grow.
RemuxSettings remux_settings(const SourceInfo& source);

// ... and those of one of its tracks, in an output whose ticks for it are `output_base`.
RemuxTrack remux_track(const Track& track, Rational output_base);

}  // namespace gopline::media
