#include "cli/annotations.h"

#include <algorithm>
#include <functional>

#include "analyzer/mark.h"

namespace gopline::cli {
namespace {

// So long an event is seen that begins and ends at once.
constexpr Duration kShortest = std::chrono::milliseconds(500);
// What has not been told to end is drawn so long after the newest word of it.
constexpr Duration kUnended = std::chrono::seconds(2);

media::Mark mark_of(const record::Detection& detection) {
  return analyzer::mark_of(detection.class_name, detection.zone, detection.score, detection.box);
}

}  // namespace

void Annotations::add(const record::Detection& detection) {
  auto [found, is_new] = events_.try_emplace(detection.event);
  auto& event = found->second;
  if (is_new) {
    event.from = std::min(detection.started, detection.time);
    event.places.push_back({event.from, mark_of(detection)});
    by_start_.emplace(event.from, &event);
  } else if (detection.box) {
    event.places.push_back({detection.time, mark_of(detection)});
  }
  if (detection.phase == record::EventPhase::kEnd) {
    event.to = std::max(detection.time, event.from + kShortest);
  } else {
    event.to = detection.time + kUnended;
  }
  longest_ = std::max(longest_, event.to - event.from);
}

void Annotations::forget_before(Timestamp time) {
  std::erase_if(by_start_, [&](const auto& one) { return one.second->to < time; });
  std::erase_if(events_, [&](const auto& one) { return one.second.to < time; });
}

std::vector<media::Mark> Annotations::at(Timestamp time) const {
  std::vector<media::Mark> marks;
  auto end = by_start_.upper_bound(time);
  for (auto one = by_start_.lower_bound(time - longest_); one != end; ++one) {
    const auto& event = *one->second;
    if (time >= event.to) continue;
    auto behind = std::ranges::upper_bound(event.places, time, std::less<>{}, &Place::from);
    marks.push_back(std::prev(behind)->mark);
  }
  return marks;
}

}  // namespace gopline::cli
