#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "common/base/result.h"

namespace gopline {

// To read a page of a mapped file raises SIGBUS when the file has been cut off since, or its disk does not
// give it, and ends the program. Within ranges that are watched the page becomes one of zeros instead, and
// the mishap is counted: whoever has read such memory asks whether what he read was there.
//
// The handler of SIGBUS is the process's: it is set when the first range is watched, stays, and leaves what
// is not within a range to the handler before it. There is room for so many ranges; beyond, nothing is
// watched and the caller has to do without a mapping.

// How often a read by the calling thread has met zeros instead of a file's bytes.
std::uint64_t bus_errors_of_this_thread();

// Whether what the calling thread has read since this was made was there. For one thread.
class MappedReads {
 public:
  // kCorrupt when some was not.
  Result<void> were_whole() const;

 private:
  std::uint64_t before_ = bus_errors_of_this_thread();
};

// One range that is watched, until its end. Thread-safe.
class WatchedRange {
 public:
  // `damaged` becomes true when a page of the range is not there; it outlives the range. nullopt: no room.
  static std::optional<WatchedRange> watch(std::span<const std::uint8_t> bytes, std::atomic<bool>& damaged);
  ~WatchedRange();
  WatchedRange(WatchedRange&& other) noexcept : slot_(std::exchange(other.slot_, kNone)) {}
  WatchedRange& operator=(WatchedRange&&) = delete;

 private:
  static constexpr std::size_t kNone = SIZE_MAX;
  explicit WatchedRange(std::size_t slot) : slot_(slot) {}
  std::size_t slot_;
};

}  // namespace gopline
