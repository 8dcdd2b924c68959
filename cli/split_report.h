#pragma once
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "splitter/splitter.h"

namespace gopline::cli {

// One source on its way into one stream, and how it went.
struct SplitTask {
  std::string source;
  std::string stream;
  splitter::SplitProgress progress;  // the newest
  Duration elapsed{};
  std::optional<splitter::SplitReport> report;  // when an epoch was opened and closed
  std::optional<Error> error;                   // with a report: the source broke in the middle
  bool is_live = false;

  bool was_stopped() const {
    return error ? error->code == ErrorCode::kCancelled
                 : report && report->cause == splitter::EndCause::kStopped;
  }
  bool has_failed() const { return error && error->code != ErrorCode::kCancelled; }
};

std::string_view outcome_word(const SplitTask& task);  // "done", "stopped", "failed"

// The failure in one line that names the source and says what is stored nevertheless.
std::string failure_message(const SplitTask& task);

std::string to_text(const std::deque<SplitTask>& tasks);
nlohmann::ordered_json json_of(const std::deque<SplitTask>& tasks, std::string_view log);
splitter::StrategyUses strategies_of(const std::deque<SplitTask>& tasks);  // of all together

}  // namespace gopline::cli
