#include "analyzer/pipeline/frame_join.h"

#include <algorithm>

namespace gopline::analyzer {

std::int64_t FrameJoin::begin(SteadyTime now) {
  expected_.clear();
  missing_.clear();
  if (patience_) until_ = now + *patience_;
  return ++ticket_;
}

void FrameJoin::expect(std::size_t stage) {
  expected_.insert(stage);
}

bool FrameJoin::answer(std::size_t stage, std::int64_t ticket) {
  return ticket == ticket_ && expected_.erase(stage) > 0;
}

void FrameJoin::give_up() {
  missing_.merge(expected_);
  expected_.clear();
}

std::optional<Duration> FrameJoin::time_left(SteadyTime now) const {
  if (!until_) return std::nullopt;
  // Rounded up: a wait must not end just before its time.
  return std::max(Duration::zero(), std::chrono::ceil<Duration>(*until_ - now));
}

}  // namespace gopline::analyzer
