#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/logging.h"

namespace gopline {

// Keeps a log readable while something fails a hundred times a second. Of lines of one subject with one
// wording (the text before its details are filled in) the first few that differ are said; any more, and any
// that was said already, are counted for a window of time, at whose end one line says how many there were.
// While they go on, that is one line per window. Pure but for its memory, which is bounded; not thread-safe.
class LogRepeats {
 public:
  static constexpr auto kWindow = std::chrono::seconds(30);
  static constexpr std::size_t kDifferent = 5;      // lines of one wording that are said in a window
  static constexpr std::size_t kWordings = 10'000;  // followed at once; others are said as they come

  // Stands for `times` lines that were not said.
  struct Summary {
    LogLevel level = LogLevel::kInfo;
    std::string subject, message;  // of the newest of them
    std::int64_t times = 0;
  };

  // Whether to say a line. `wording` empty, or nothing but placeholders: the message itself.
  bool should_say(LogLevel level, std::string_view subject, std::string_view message,
                  std::string_view wording, SteadyTime now);

  // Of windows that are over now; of all.
  std::vector<Summary> take_finished(SteadyTime now);
  std::vector<Summary> take_all();

 private:
  struct Window {
    SteadyTime end;
    std::vector<std::size_t> said;  // hashes of messages
    Summary unsaid;
  };

  std::map<std::string, Window> windows_;  // by level, subject and wording
  SteadyTime next_end_ = SteadyTime::max();
};

}  // namespace gopline
