#include "common/base/log_repeats.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace gopline {
namespace {

// Whether a format string says anything besides its arguments: "{}: {}" does not.
bool has_words(std::string_view wording) {
  bool is_inside = false;
  for (char c : wording) {
    if (c == '{') is_inside = true;
    if (!is_inside && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return true;
    if (c == '}') is_inside = false;
  }
  return false;
}

std::string key_of(LogLevel level, std::string_view subject, std::string_view wording) {
  return fmt::format("{}\n{}\n{}", static_cast<int>(level), subject, wording);
}

}  // namespace

bool LogRepeats::should_say(LogLevel level, std::string_view subject, std::string_view message,
                            std::string_view wording, SteadyTime now) {
  auto key = key_of(level, subject, has_words(wording) ? wording : message);
  auto found = windows_.find(key);
  if (found == windows_.end()) {
    if (windows_.size() >= kWordings) return true;
    found = windows_.emplace(std::move(key), Window{now + kWindow, {}, {}}).first;
    next_end_ = std::min(next_end_, found->second.end);
  }
  auto& [end, said, unsaid] = found->second;
  auto hash = std::hash<std::string_view>()(message);
  if (said.size() < kDifferent && std::find(said.begin(), said.end(), hash) == said.end()) {
    said.push_back(hash);
    return true;
  }
  unsaid = {level, std::string(subject), std::string(message), unsaid.times + 1};
  return false;
}

std::vector<LogRepeats::Summary> LogRepeats::take_finished(SteadyTime now) {
  std::vector<Summary> finished;
  if (now < next_end_) return finished;
  next_end_ = SteadyTime::max();
  for (auto at = windows_.begin(); at != windows_.end();) {
    auto& window = at->second;
    if (window.end <= now && window.unsaid.times == 0) {
      at = windows_.erase(at);
      continue;
    }
    if (window.end <= now) {  // the summary is the next window's first line
      finished.push_back(std::exchange(window.unsaid, {}));
      window.end = now + kWindow;
    }
    next_end_ = std::min(next_end_, window.end);
    ++at;
  }
  return finished;
}

std::vector<LogRepeats::Summary> LogRepeats::take_all() {
  std::vector<Summary> all;
  for (auto& [key, window] : windows_) {
    if (window.unsaid.times > 0) all.push_back(std::move(window.unsaid));
  }
  windows_.clear();
  next_end_ = SteadyTime::max();
  return all;
}

}  // namespace gopline
