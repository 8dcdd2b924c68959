#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/payload/strategy.h"

// What is to be measured. Pure functions.
namespace gopline::bench {

// How a payload travels, or `raw`: the bare client library beside us.
struct Strategy {
  bool is_raw = false;
  payload::Strategy ours = payload::Strategy::kInline;
  std::uint64_t chunk_bytes = 0;  // chunk@SIZE; 0: as gopline does by itself
  bool operator==(const Strategy&) const = default;
};

std::string to_string(const Strategy& strategy);        // "inline", "chunk@512KiB", "raw"
Result<Strategy> strategy_from(std::string_view text);  // the inverse

// One line of the table: payloads of one size, or segments of one duration, by one strategy.
struct Case {
  Strategy strategy;
  std::uint64_t bytes = 0;           // of a payload; of video: the mean, known once it is cut
  std::optional<Duration> duration;  // of the segments that video is cut into; nullopt: random bytes
  bool operator==(const Case&) const = default;
};

std::string title_of(const Case& c);  // "1 MB, chunk"; "2s of video, inline"

// "16KB..64MB" by factors of four with both ends, "16KB,1MB,64MB", or both mixed; ascending, each once.
Result<std::vector<std::uint64_t>> parse_sizes(std::string_view text);
// "0.5s..10s" on the ladder 1, 2, 5, 10 with both ends, or a list.
Result<std::vector<Duration>> parse_durations(std::string_view text);
Result<std::vector<Strategy>> parse_strategies(std::string_view text);

// Every size with every strategy, then every duration with every strategy.
std::vector<Case> make_plan(const std::vector<std::uint64_t>& sizes, const std::vector<Duration>& durations,
                            const std::vector<Strategy>& strategies);

// Messages a second for the open loop: three tenths of what the slowest way at that size took, so that none
// is measured overloaded; at most ten a second from 1 MB on, two hundred below.
double default_rate(std::uint64_t bytes, double slowest_per_second);

// "64 KB", "1 MB", "1.5 MB": sizes as the command line spells them.
std::string show_size(std::uint64_t bytes);
std::string show_seconds_short(Duration duration);  // "0.5 s"

}  // namespace gopline::bench
