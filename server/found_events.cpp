#include "server/found_events.h"

#include <algorithm>
#include <condition_variable>
#include <tuple>

#include "common/base/logging.h"
#include "common/catalog/event_feed.h"

namespace gopline::server {
namespace {

constexpr Duration kLongestWait = std::chrono::seconds(1);
constexpr auto kBetweenAttempts = std::chrono::seconds(2);

bool is_within(const FoundEvent& event, std::optional<Timestamp> from, std::optional<Timestamp> to) {
  return (!from || event.to >= *from) && (!to || event.from < *to);
}

std::size_t size_of(const FoundEvent& event) {
  return sizeof(event) + 2 * event.id.size() + event.boxes.size() * sizeof(event.boxes.front());
}

void add(FoundEvent& event, const record::Detection& found) {
  event.from = found.started;
  event.to = std::max(event.to, found.time);
  event.ended |= found.phase == record::EventPhase::kEnd;
  if (found.score) event.score = std::max(event.score.value_or(0), *found.score);
  if (!found.box || (!event.boxes.empty() && event.boxes.back().first >= found.time)) return;
  if (event.boxes.size() == FoundEvents::kMostBoxes) event.boxes.erase(event.boxes.begin());
  event.boxes.emplace_back(found.time, *found.box);
}

}  // namespace

EventsOfStream FoundEvents::between(const std::string& stream, std::optional<Timestamp> from,
                                    std::optional<Timestamp> to, std::size_t most) {
  std::lock_guard lock(mutex_);
  if (!thread_.joinable() && !is_stopped_)
    thread_ = std::jthread([this](const StopToken& stop) { follow(stop); });
  EventsOfStream out;
  out.is_complete = is_read_ && !has_forgotten_;
  auto found = streams_.find(stream);
  if (found == streams_.end()) return out;
  std::vector<const FoundEvent*> wanted;
  for (const auto& [id, event] : found->second) {
    if (is_within(event, from, to)) wanted.push_back(&event);
  }
  std::ranges::sort(wanted, [](const auto* a, const auto* b) {
    return std::tie(a->from, a->id) < std::tie(b->from, b->id);
  });
  if (wanted.size() > most) {
    wanted.erase(wanted.begin(), wanted.end() - static_cast<std::ptrdiff_t>(most));
    out.is_complete = false;
  }
  std::size_t boxes = 0;
  for (const auto* event : wanted) out.events.push_back(*event);
  for (auto event = out.events.rbegin(); event != out.events.rend(); ++event) {
    boxes += event->boxes.size();
    if (boxes > kMostBoxesTold) event->boxes.clear();
  }
  return out;
}

void FoundEvents::stop() {
  std::jthread ended;
  {
    std::lock_guard lock(mutex_);
    is_stopped_ = true;
    ended = std::move(thread_);
  }
  if (ended.joinable()) ended.request_stop();
}

void FoundEvents::follow(const StopToken& stop) {
  std::mutex sleeping;
  std::condition_variable_any wakeup;
  while (!stop.stop_requested()) {
    auto followed = follow_once(stop);
    if (followed || stop.stop_requested()) continue;
    log_warning(topics_.events, "{}; tried again", followed.error().message);
    std::unique_lock lock(sleeping);
    wakeup.wait_for(lock, stop, kBetweenAttempts, [] { return false; });
  }
}

// From the beginning: what was taken already changes nothing when it comes again.
Result<void> FoundEvents::follow_once(const StopToken& stop) {
  GOPLINE_ASSIGN(auto feed, catalog::EventFeed::open(log_, topics_, {}));
  std::stop_callback wake(stop, [&] { feed.wakeup(); });
  while (!stop.stop_requested()) {
    GOPLINE_ASSIGN(auto found, feed.poll(kLongestWait));
    take(found);
    if (!feed.is_past_the_start()) continue;
    std::lock_guard lock(mutex_);
    is_read_ = true;
  }
  return {};
}

void FoundEvents::take(const std::vector<record::Detection>& found) {
  std::lock_guard lock(mutex_);
  for (const auto& one : found) {
    auto [place, is_new] = streams_[one.stream].try_emplace(one.event);
    auto& event = place->second;
    if (is_new) {
      event.id = one.event;
      event.class_name = one.class_name;
      event.analyzer = one.analyzer.name;
      event.zone = one.zone;
      event.track = one.track;
      event.to = one.time;
      order_.emplace_back(one.stream, one.event);
    }
    if (!is_new) bytes_ -= size_of(event);
    add(event, one);
    bytes_ += size_of(event);
  }
  forget_oldest();
}

void FoundEvents::forget_oldest() {
  while (bytes_ > most_bytes_ && order_.size() > 1) {
    const auto& [stream, id] = order_.front();
    auto events = streams_.find(stream);
    auto event = events->second.find(id);
    bytes_ -= size_of(event->second);
    events->second.erase(event);
    if (events->second.empty()) streams_.erase(events);
    order_.pop_front();
    has_forgotten_ = true;
  }
}

}  // namespace gopline::server
