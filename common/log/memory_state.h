#pragma once
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "common/log/delivery_queue.h"
#include "common/log/group_assignment.h"
#include "common/log/memory_log.h"

// What the memory log's parts share. Internal to common/log.
namespace gopline {

// A tombstone is kept this long after its timestamp, so that every reader of a compacted topic has seen the
// deletion.
inline constexpr Duration kTombstoneLifetime = std::chrono::hours(24);

struct MemoryPartition {
  std::deque<StoredRecord> records;  // offsets ascend; holes are possible
  Offset begin;
  Offset end;

  std::deque<StoredRecord>::iterator at_or_after(Offset offset);
  StoredRecord* find(Offset offset);
};

struct MemoryTopic {
  TopicInfo info;
  std::uint64_t id = 0;  // distinguishes a topic from one of the same name that was deleted
  std::vector<MemoryPartition> partitions;
};

struct MemoryMember {
  std::uint64_t instance = 0;  // the reader that has this id now; an older one is fenced off
  std::vector<std::string> topics;
  SteadyTime last_seen;
  Duration session_timeout{};
  int polling = 0;  // inside poll(): alive, whatever the clock says
};

struct MemoryGroup {
  std::map<std::string, MemoryMember> members;
  Ownership owners;
  std::map<TopicPartition, Offset> committed;
};

struct FailNext {
  int count = 0;
  Error error;
  // The error when this call is one that fails.
  std::optional<Error> take() { return count > 0 ? (--count, std::optional(error)) : std::nullopt; }
};

struct MemoryLogState {
  explicit MemoryLogState(MemoryLogOptions given) : options(std::move(given)) {}

  const MemoryLogOptions options;
  mutable std::mutex mutex;
  std::condition_variable changed;  // a record, a member, a wakeup
  std::map<std::string, MemoryTopic> topics;
  std::map<std::string, MemoryGroup> groups;
  std::set<DeliveryQueue*> deliveries;
  std::uint64_t next_id = 1;
  bool held = false;
  bool delivers_nothing = false;  // to readers
  FailNext reject_appends, fail_appends, lose_acknowledgements, fail_polls;

  // All below: with `mutex` held.
  Result<MemoryTopic*> find_topic(const std::string& name);
  Result<MemoryPartition*> find_partition(const TopicPartition& where);
  Offset store(MemoryTopic& topic, const TopicPartition& where, NewRecord record);
  void apply_retention(const MemoryTopic& topic, MemoryPartition& partition) const;
  void compact(MemoryPartition& partition) const;
  void remove_dead_members(MemoryGroup& group) const;
};

std::unique_ptr<LogReader> make_memory_reader(std::shared_ptr<MemoryLogState> state,
                                              LogReaderOptions options);

}  // namespace gopline
