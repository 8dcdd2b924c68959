#include "server/live_edge.h"

#include <algorithm>

namespace gopline::server {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(500);
constexpr Duration kPatience = std::chrono::seconds(10);  // of a request that waits
constexpr Duration kUnused = std::chrono::seconds(60);
constexpr std::size_t kMostFollowed = 64;
constexpr std::size_t kRowsBefore = 3;  // segments that are read again as the following begins

bool has_come(const std::deque<LiveSegment>& segments, const LivePoint& point) {
  return std::any_of(segments.begin(), segments.end(), [&](const LiveSegment& segment) {
    auto ordinal = segment.headers.ordinal.value;
    if (ordinal > point.ordinal || (ordinal == point.ordinal && segment.is_complete)) return true;
    return ordinal == point.ordinal && point.part && std::ssize(segment.parts) > *point.part;
  });
}

}  // namespace

void LiveEdge::await(const std::string& stream, std::optional<LivePoint> point, std::function<void()> then,
                     const StopToken& stop) {
  auto followed = follow(stream, stop);
  if (!followed || !*followed) return then();
  auto& one = **followed;
  {
    std::lock_guard lock(one.mutex);
    bool is_there = point ? has_come(one.window.segments(), *point) : one.has_caught_up;
    if (!is_there && !one.has_ended) {
      one.waiting.push_back({point, clock_.steady_now() + kPatience, std::move(then)});
      return;
    }
  }
  then();
}

std::vector<LiveSegment> LiveEdge::segments(const std::string& stream) {
  FollowedPtr followed;
  {
    std::lock_guard lock(mutex_);
    auto found = followed_.find(stream);
    if (found == followed_.end()) return {};
    followed = found->second;
  }
  std::lock_guard lock(followed->mutex);
  const auto& all = followed->window.segments();
  return {all.begin(), all.end()};
}

// nullptr: it is not written in parts, or nobody writes it.
Result<LiveEdge::FollowedPtr> LiveEdge::follow(const std::string& stream, const StopToken& stop) {
  std::lock_guard lock(mutex_);
  if (is_stopped_) return fail(ErrorCode::kCancelled, "stopped");
  auto now = clock_.steady_now();
  std::erase_if(followed_, [&](auto& entry) {
    std::lock_guard inner(entry.second->mutex);
    return entry.second->has_ended && entry.second->waiting.empty();
  });
  auto found = followed_.find(stream);
  if (found != followed_.end()) {
    std::lock_guard inner(found->second->mutex);
    found->second->asked = now;
    return found->second;
  }
  GOPLINE_ASSIGN(auto view, catalog_.find(stream));
  if (view.state.ended || followed_.size() >= kMostFollowed) return FollowedPtr();
  GOPLINE_ASSIGN(auto begun, begin(view, stop));
  if (begun) followed_[stream] = begun;
  return begun;
}

Result<LiveEdge::FollowedPtr> LiveEdge::begin(const StreamView& view, const StopToken& stop) {
  const auto& stream = view.state.stream;
  auto since = view.last_time ? std::optional(*view.last_time - std::chrono::minutes(10)) : std::nullopt;
  GOPLINE_ASSIGN(auto rows, catalog_.segments(stream, since, stop));
  auto newest = rows->newest(kRowsBefore);
  GOPLINE_ASSIGN(auto entries, entries_.get(view.state.partition, newest, stop));
  std::erase(entries, nullptr);
  // More chunks than one may be bytes of a large segment: then the window stays empty, and nobody is harmed.
  if (entries.empty() || entries.back()->offsets.size() < 2) return FollowedPtr();
  auto followed = std::make_shared<Followed>(stream);
  GOPLINE_ASSIGN(auto started, segments_.epoch_of(*entries.front(), stop));
  followed->window.know(entries.front()->epoch, std::move(started.tracks));
  TopicPartition where{catalog_.topics().segments, view.state.partition};
  GOPLINE_ASSIGN(followed->reader, catalog_.log().make_reader({}));
  GOPLINE_ASSIGN(auto range, catalog_.log().offsets(where));
  auto from = *std::min_element(entries.front()->offsets.begin(), entries.front()->offsets.end());
  GOPLINE_TRY(followed->reader->assign({{where, StartPosition::at(std::max(from, range.begin))}}));
  followed->known_to = range.end;
  followed->asked = clock_.steady_now();
  followed->thread =
      std::jthread([this, one = followed.get(), where](const StopToken& token) { run(*one, where, token); });
  return followed;
}

void LiveEdge::run(Followed& followed, const TopicPartition& where, const StopToken& stop) {
  std::stop_callback wake_reader(stop, [&] { followed.reader->wakeup(); });
  while (!stop.stop_requested()) {
    auto records = followed.reader->poll(kPoll);
    auto position = followed.reader->position(where);
    auto now = clock_.steady_now();
    bool has_ended = false;
    {
      std::lock_guard lock(followed.mutex);
      if (records) {
        for (const auto& stored : *records) followed.window.take(incoming_from(stored), now);
      }
      followed.has_caught_up = followed.has_caught_up || (position && *position >= followed.known_to);
      // Who asks next begins anew.
      has_ended = followed.has_ended =
          !records || !position || (now - followed.asked > kUnused && followed.waiting.empty());
    }
    wake(followed);
    if (has_ended) return;
  }
}

void LiveEdge::wake(Followed& followed) {
  std::vector<std::function<void()>> come;
  {
    std::lock_guard lock(followed.mutex);
    auto now = clock_.steady_now();
    std::erase_if(followed.waiting, [&](Waiting& one) {
      bool is_there = one.point ? has_come(followed.window.segments(), *one.point) : followed.has_caught_up;
      if (!is_there && now < one.until && !followed.has_ended) return false;
      come.push_back(std::move(one.then));
      return true;
    });
  }
  for (auto& then : come) then();
}

void LiveEdge::stop() {
  std::map<std::string, FollowedPtr> all;
  {
    std::lock_guard lock(mutex_);
    is_stopped_ = true;
    all = std::exchange(followed_, {});
  }
  for (auto& [stream, followed] : all) {
    followed->thread.request_stop();
    if (followed->thread.joinable()) followed->thread.join();
  }
}

}  // namespace gopline::server
