#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/log/log.h"
#include "common/record/detection.h"
#include "common/record/topics.h"

namespace gopline::catalog {

struct EventQuery {
  std::vector<std::string> patterns;  // of streams, as a shell's; none: all
  std::optional<Timestamp> from, to;  // capture time: [from, to)
  std::string class_name;             // empty: any
  std::string analyzer;               // empty: any
  bool from_now_on = false;           // only what is written from now on
};

// The records of NS.events, each once: what a writer repeated after a crash has the same id and is passed
// over (of the newest 16384 ids of a partition). In order for each stream. Not thread-safe.
class EventFeed {
 public:
  // A log without events gives none, until there are some. The log outlives it.
  static Result<EventFeed> open(Log& log, const record::Topics& topics, EventQuery query);

  // What has come, after at most `max_wait`; empty when nothing has.
  Result<std::vector<record::Detection>> poll(Duration max_wait);
  // Whether everything has been read that was there when it was opened.
  bool is_past_the_start() const;
  void wakeup();  // thread-safe once opened

  std::int64_t unreadable() const { return unreadable_; }
  std::int64_t repeated() const { return repeated_; }

 private:
  EventFeed(Log& log, std::string topic) : log_(&log), topic_(std::move(topic)) {}
  Result<void> attach();
  bool is_wanted(const StoredRecord& stored) const;
  bool is_new(const StoredRecord& stored);

  struct Seen {
    std::set<std::string> ids;
    std::deque<std::string> order;
  };
  Log* log_;
  std::string topic_;
  EventQuery query_;
  std::unique_ptr<LogReader> reader_;  // of nothing, as long as there is no such topic
  std::map<TopicPartition, Offset> ends_;
  std::map<PartitionId, Seen> seen_;
  std::int64_t unreadable_ = 0, repeated_ = 0;
};

}  // namespace gopline::catalog
