#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/rational.h"
#include "common/media/types.h"

// How tables show values. JSON uses the record format's own spelling instead (RFC 3339, ticks/timescale).
namespace gopline::cli {

std::string show_time(std::optional<Timestamp> time);  // "2026-11-22 18:30:00.000" (UTC), "-" for none
std::string show_seconds(const Rational& seconds);     // "12.345"
std::string show_count(std::int64_t count);            // "12 345 678": thin groups read faster

Duration to_duration(const Rational& seconds);  // rounded to microseconds

// "h264 768x576 + aac 44.1 kHz mono"
std::string show_tracks(const std::vector<media::Track>& tracks);
std::string show_track(const media::Track& track);

}  // namespace gopline::cli
