#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/log_factory.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/record/markers.h"

namespace gopline::cli {

// An absence of footage and where it lies in its stream.
struct FoundGap {
  EpochNumber epoch;
  SegmentNumber before;  // the segment that follows it
  record::GapFacts facts;
};

// What `gopline streams` says of one stream, from NS.streams and NS.index alone.
struct StreamSummary {
  record::StreamState state;
  std::set<EpochNumber> epochs;                    // of which something is kept
  std::optional<Timestamp> first_time, last_time;  // capture time of what is kept
  Duration duration{};                             // of what is kept
  std::int64_t segments = 0;
  std::uint64_t bytes = 0;
  std::vector<FoundGap> gaps;
};

Result<StreamSummary> summarize(const OpenedLog& log, const record::StreamState& state);

// "open" while a writer is at work (or has died), else the cause its newest epoch ended with.
std::string state_word(const record::StreamState& state);

// A row per stream, as `gopline streams` shows them.
std::string streams_table(const std::vector<StreamSummary>& streams);

nlohmann::ordered_json json_of(const StreamSummary& summary);
nlohmann::ordered_json json_of(const media::Track& track);
nlohmann::ordered_json json_of(const FoundGap& gap);
nlohmann::ordered_json json_time(std::optional<Timestamp> time);  // RFC 3339, or null

}  // namespace gopline::cli
