#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/record/detection.h"
#include "common/record/topics.h"

namespace gopline::server {

// An event of an analyzer, all its records together.
struct FoundEvent {
  std::string id, class_name, analyzer, zone, track;
  Timestamp from, to;  // capture time, as far as it has been told
  bool ended = false;
  std::optional<double> score;                                  // the highest
  std::vector<std::pair<Timestamp, record::PictureBox>> boxes;  // in order; the newest kMostBoxes
};

struct EventsOfStream {
  std::vector<FoundEvent> events;  // by their beginnings
  bool is_complete = false;        // else older ones, or some of these, are not known (yet)
};

// What analyzers have found, in memory: NS.events is read from its beginning on, on a thread of its own, from
// when somebody first asks. Beyond kMostBytes the oldest are forgotten, whichever stream they are of.
// Thread-safe.
class FoundEvents {
 public:
  static constexpr std::size_t kMostBytes = 64 << 20;
  static constexpr std::size_t kMostBoxes = 300;       // of an event
  static constexpr std::size_t kMostBoxesTold = 5000;  // in one answer

  // The log outlives it.
  FoundEvents(Log& log, record::Topics topics, std::size_t most_bytes = kMostBytes)
      : log_(log), topics_(std::move(topics)), most_bytes_(most_bytes) {}
  ~FoundEvents() { stop(); }

  // Events of a stream any part of which lies in [from, to); nullopt: without a bound. At most `most`, the
  // newest of them, and boxes of the newest of those alone.
  EventsOfStream between(const std::string& stream, std::optional<Timestamp> from,
                         std::optional<Timestamp> to, std::size_t most);
  void stop();  // joins its thread: nothing more is learnt

 private:
  using Events = std::map<std::string, FoundEvent>;  // by id

  void follow(const StopToken& stop);
  Result<void> follow_once(const StopToken& stop);
  void take(const std::vector<record::Detection>& found);
  void forget_oldest();

  Log& log_;
  const record::Topics topics_;
  const std::size_t most_bytes_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, Events> streams_;
  std::deque<std::pair<std::string, std::string>> order_;  // stream and id, as they came
  std::size_t bytes_ = 0;                                  // about what they take
  bool is_read_ = false;                                   // up to what there was at the beginning
  bool has_forgotten_ = false;
  bool is_stopped_ = false;
  std::jthread thread_;
};

}  // namespace gopline::server
