#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace gopline::aggregator {

struct RecordingLimits {
  std::optional<Duration> age;         // since a file was finished, by its time of modification
  std::optional<std::uint64_t> bytes;  // of all recordings in the folder together
  bool any() const { return age || bytes; }
};

// Removes recordings that exceed the limits, those finished first first, whichever stream they are of: files
// with a recording's name, in a stream's folder, whose JSON says that they are recordings. Nothing else is
// touched, nor a file that has no JSON yet, nor one that is being written. Not thread-safe.
class RecordingRetention {
 public:
  RecordingRetention(std::string directory, RecordingLimits limits)
      : directory_(std::move(directory)), limits_(limits) {}

  struct Removed {
    std::int64_t files = 0;
    std::uint64_t bytes = 0;
  };
  // Looks at the names in the folder, and at the files that it has not seen before.
  Result<Removed> apply(Timestamp now);

 private:
  struct Entry {
    Timestamp finished;
    std::uint64_t bytes = 0;
    std::string media;  // in the same folder; empty: there are only gaps
    bool seen = false;  // in this round
  };

  Result<void> look();
  void look_at(const std::string& json_path);
  void remove(const std::string& json_path, const Entry& entry, Removed& removed);

  std::string directory_;
  RecordingLimits limits_;
  std::map<std::string, std::optional<Entry>> entries_;  // by the path of the JSON; nullopt: not ours
};

// Removes what recorders that died have left in the folder's streams: *.part with a recording's name that no
// program holds open. Returns how many.
std::int64_t remove_abandoned_parts(const std::string& directory);

}  // namespace gopline::aggregator
