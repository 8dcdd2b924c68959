#include "cli/live_row.h"

#include "common/base/text.h"

namespace gopline::cli {
namespace {

constexpr auto kOver = std::chrono::seconds(4);  // two segments, usually

}  // namespace

ProgressState LiveRow::update(const splitter::SourceStatus& status) {
  std::lock_guard lock(mutex_);
  status_ = status;
  return state();
}

ProgressState LiveRow::update(const splitter::LiveProgress& progress) {
  std::lock_guard lock(mutex_);
  auto now = clock_.steady_now();
  if (now - before_at_ >= kOver) {
    before_ = newest_;
    before_at_ = newest_at_;
  }
  newest_ = progress;
  newest_at_ = now;
  return state();
}

ProgressState LiveRow::state() const {
  ProgressState out{newest_.written.bytes, std::nullopt, newest_.written.media_time, ""};
  auto seconds = std::chrono::duration<double>(newest_at_ - before_at_).count();
  bool knows_rates =
      before_at_ != SteadyTime{} && seconds > 0 && status_.state == splitter::SourceState::kLive;
  double pictures = knows_rates ? static_cast<double>(newest_.pictures - before_.pictures) / seconds : 0;
  double bits =
      knows_rates ? 8 * static_cast<double>(newest_.written.bytes - before_.written.bytes) / seconds : 0;
  out.words = fmt::format("{:<10} {:>5.1f} fps  {:>6.2f} Mbit/s  {:>8} stored  {:>8} waiting",
                          to_string(status_.state), pictures, bits / 1e6, format_bytes(newest_.written.bytes),
                          format_bytes(newest_.waiting_bytes));
  if (newest_.dropped_bytes > 0)
    out.words += fmt::format("  {} dropped", format_bytes(newest_.dropped_bytes));
  if (status_.outages > 0) out.words += fmt::format("  {} outages", status_.outages);
  if (status_.state == splitter::SourceState::kWaiting && status_.cause)
    out.words += fmt::format(" ({})", to_string(*status_.cause));
  return out;
}

}  // namespace gopline::cli
