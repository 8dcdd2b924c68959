#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "server/entry_cache.h"
#include "server/live_window.h"
#include "server/segment_store.h"
#include "server/stream_catalog.h"

namespace gopline::server {

// A place in a live playlist: the segment of that ordinal, or that part of it.
struct LivePoint {
  std::int64_t ordinal = 0;
  std::optional<std::int64_t> part;
};

// The newest parts of the streams that somebody watches and that are written in parts: each is followed by a
// thread of its own, from when it is first asked for until nobody has asked for a while. Thread-safe.
class LiveEdge {
 public:
  // All outlive it.
  LiveEdge(StreamCatalog& catalog, EntryCache& entries, SegmentStore& segments, const Clock& clock)
      : catalog_(catalog), entries_(entries), segments_(segments), clock_(clock) {}
  ~LiveEdge() { stop(); }

  // Calls `then` once: when the stream has come to that point (nullopt: when it is known what there is), when
  // that will not be, or when it takes too long. From any thread, perhaps at once; it must not block. Blocks
  // while the following of a stream begins.
  void await(const std::string& stream, std::optional<LivePoint> point, std::function<void()> then,
             const StopToken& stop);

  // What is known of the stream now; empty: it is not followed, or not written in parts.
  std::vector<LiveSegment> segments(const std::string& stream);

  // Joins its threads; whoever waits, waits in vain.
  void stop();

 private:
  struct Waiting {
    std::optional<LivePoint> point;
    SteadyTime until;
    std::function<void()> then;
  };
  struct Followed {
    explicit Followed(std::string stream) : window(std::move(stream)) {}
    std::mutex mutex;
    LiveWindow window;
    std::vector<Waiting> waiting;
    SteadyTime asked{};
    Offset known_to{};  // where the log ended as the following began
    bool has_caught_up = false;
    bool has_ended = false;
    std::unique_ptr<LogReader> reader;
    std::jthread thread;  // last: it uses the others
  };
  using FollowedPtr = std::shared_ptr<Followed>;

  Result<FollowedPtr> follow(const std::string& stream, const StopToken& stop);
  Result<FollowedPtr> begin(const StreamView& view, const StopToken& stop);
  void run(Followed& followed, const TopicPartition& where, const StopToken& stop);
  void wake(Followed& followed);

  StreamCatalog& catalog_;
  EntryCache& entries_;
  SegmentStore& segments_;
  const Clock& clock_;
  std::mutex mutex_;
  bool is_stopped_ = false;
  std::map<std::string, FollowedPtr> followed_;
};

}  // namespace gopline::server
