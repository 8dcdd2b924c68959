#include "cli/progress.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "cli/display_width.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

constexpr auto kRedrawEvery = std::chrono::milliseconds(100);
constexpr auto kLineEvery = std::chrono::seconds(5);
constexpr auto kEstimateAfter =
    std::chrono::seconds(1);  // an earlier guess of the time left only jumps about
constexpr int kBarCells = 24;
constexpr int kMaxNameCells = 28;

Duration between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration_cast<Duration>(to - from);
}

std::string bar(double fraction) {
  int full = static_cast<int>(std::lround(std::clamp(fraction, 0.0, 1.0) * kBarCells));
  std::string text;
  for (int i = 0; i < kBarCells; ++i) text += i < full ? "━" : "·";
  return text;
}

std::string padded(const std::string& text, int cells) {
  return text + std::string(static_cast<std::size_t>(std::max(0, cells - display_width(text))), ' ');
}

}  // namespace

std::string format_wait(Duration wait) {
  auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string format_rate(std::uint64_t bytes, Duration elapsed) {
  if (elapsed <= Duration::zero()) return "";
  double per_second = static_cast<double>(bytes) * 1e6 / static_cast<double>(elapsed.count());
  return format_bytes(static_cast<std::uint64_t>(per_second)) + "/s";
}

std::string describe_progress(const ProgressState& state, Duration elapsed) {
  if (!state.words.empty()) return state.words;
  std::string text;
  if (state.fraction) text += fmt::format("{:3.0f} %  ", std::clamp(*state.fraction, 0.0, 1.0) * 100);
  text += fmt::format("{:>8}", format_bytes(state.bytes));
  if (auto rate = format_rate(state.bytes, elapsed); !rate.empty()) text += fmt::format("  {:>10}", rate);
  if (!state.fraction) {
    text += fmt::format("  {} of footage", format_duration(state.media_time));
  } else if (*state.fraction > 0 && *state.fraction < 1 && elapsed >= kEstimateAfter) {
    auto left = static_cast<double>(elapsed.count()) * (1 / *state.fraction - 1);
    if (left < 1e12) text += fmt::format("  {} left", format_wait(Duration(std::llround(left))));
  }
  return text;
}

ProgressBoard::ProgressBoard(const Clock& clock, ProgressOptions options, Write write)
    : clock_(clock), options_(options), write_(std::move(write)) {}

std::size_t ProgressBoard::add(std::string name) {
  std::lock_guard lock(mutex_);
  auto now = clock_.steady_now();
  tasks_.push_back(Task{printable(name), now, {}, {}, now});
  return tasks_.size() - 1;
}

void ProgressBoard::update(std::size_t task, const ProgressState& state) {
  std::lock_guard lock(mutex_);
  auto& changed = tasks_[task];
  changed.state = state;
  auto now = clock_.steady_now();
  if (options_.style == ProgressStyle::kLines && now - changed.last_line >= kLineEvery && !closed_) {
    changed.last_line = now;
    write_(fmt::format("{}: {}\n", changed.name, describe_progress(state, between(changed.started, now))));
  }
  draw(false);
}

void ProgressBoard::finish(std::size_t task, std::string_view how) {
  std::lock_guard lock(mutex_);
  tasks_[task].finished = how;
  draw(true);
}

void ProgressBoard::message(std::string_view line) {
  std::lock_guard lock(mutex_);
  erase();
  write_(std::string(line) + "\n");
  draw(true);
}

void ProgressBoard::close() {
  std::lock_guard lock(mutex_);
  erase();
  closed_ = true;
}

std::string ProgressBoard::bar_line(const Task& task, int name_cells) const {
  auto name = padded(shorten(task.name, name_cells), name_cells);
  if (!task.finished.empty()) {
    return fmt::format("{}  {} {}", name, padded(bar(task.state.fraction.value_or(1)), kBarCells),
                       task.finished);
  }
  auto words = describe_progress(task.state, between(task.started, clock_.steady_now()));
  if (!task.state.fraction) return fmt::format("{}  {}", name, words);
  return fmt::format("{}  {} {}", name, bar(*task.state.fraction), words);
}

void ProgressBoard::erase() {
  if (drawn_lines_ == 0) return;
  write_(fmt::format("\x1b[{}A\r\x1b[J", drawn_lines_));
  drawn_lines_ = 0;
}

void ProgressBoard::draw(bool now) {
  if (options_.style != ProgressStyle::kBars || closed_) return;
  auto time = clock_.steady_now();
  if (!now && last_draw_ && time - *last_draw_ < kRedrawEvery) return;
  last_draw_ = time;
  int name_cells = 0;
  for (const auto& task : tasks_) name_cells = std::max(name_cells, display_width(task.name));
  name_cells = std::min(name_cells, kMaxNameCells);

  // More tasks than the terminal has rows: those that run come first, and a last line counts the rest.
  std::vector<const Task*> shown;
  for (const auto& task : tasks_) shown.push_back(&task);
  auto room = static_cast<std::size_t>(std::max(1, options_.rows - 2));
  std::string rest;
  if (shown.size() > room) {
    std::stable_partition(shown.begin(), shown.end(),
                          [](const Task* task) { return task->finished.empty(); });
    rest = fmt::format("… and {} more\n", shown.size() - (room - 1));
    shown.resize(room - 1);
  }
  std::string text = drawn_lines_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", drawn_lines_) : "";
  for (const auto* task : shown) text += shorten(bar_line(*task, name_cells), options_.columns - 1) + "\n";
  text += rest;
  drawn_lines_ = static_cast<int>(shown.size()) + (rest.empty() ? 0 : 1);
  write_(text);
}

}  // namespace gopline::cli
