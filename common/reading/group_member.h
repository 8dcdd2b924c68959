#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"

namespace gopline::reading {

// What a member of a group does with one partition while it has it.
class PartitionWork {
 public:
  virtual ~PartitionWork() = default;

  // The partition's next record. An error ends the member.
  virtual Result<void> take(StoredRecord stored, SteadyTime now) = 0;
  // Now and then, whether records come or not.
  virtual Result<void> tick(SteadyTime now) = 0;
  // The end, or somebody else's turn: the last moment to commit. Nothing follows.
  virtual void finish(bool is_handed_over) = 0;
  // Whether something of what came still has to be done before this can count as done.
  virtual bool is_behind() const { return false; }
};

struct GroupMemberOptions {
  std::string topic;
  std::string group;
  std::string member_id;  // static membership; empty: none
  StartPosition first_start = StartPosition::beginning();
  bool until_end = false;  // ends with everything that was there at the beginning
  std::size_t poll_bytes = 8 << 20;
  Duration session_timeout = std::chrono::seconds(15);
  Duration between_ticks = std::chrono::milliseconds(200);
};

// One member of a consumer group at work: takes partitions as the group gives them, hands their records to
// the work that `make_work` makes of each, and gives them up in order. A log that is away is waited for. One
// thread; nothing here is thread-safe.
class GroupMember {
 public:
  using MakeWork = std::function<std::unique_ptr<PartitionWork>(const TopicPartition&, LogReader&)>;

  // kNotFound: there is no such topic. Log and clock outlive it.
  static Result<std::unique_ptr<GroupMember>> join(Log& log, const Clock& clock, GroupMemberOptions options,
                                                   MakeWork make_work);
  ~GroupMember();
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

  // Until `stop`, the end, or an error of the work's. All work is finished when it returns. `before_ticks` is
  // called as often as they are.
  Result<void> run(const StopToken& stop, const std::function<void()>& before_ticks = {});

  // Offsets that are yet to be read, of all its partitions.
  std::int64_t lag();

 private:
  GroupMember(Log& log, const Clock& clock, GroupMemberOptions options, MakeWork make_work);
  Result<void> join_now();
  void take_over(const std::vector<TopicPartition>& gained);
  void hand_over(const std::vector<TopicPartition>& lost);
  Result<void> go_on(const StopToken& stop, const std::function<void()>& before_ticks);
  bool is_at_the_end();
  void finish_all();

  Log& log_;
  const Clock& clock_;
  const GroupMemberOptions options_;
  const MakeWork make_work_;
  std::map<TopicPartition, Offset> ends_;  // until_end: as of the beginning
  std::map<TopicPartition, std::unique_ptr<PartitionWork>> work_;
  std::unique_ptr<LogReader> reader_;  // goes before what its callbacks touch
  bool has_joined_ = false;
  SteadyTime tick_at_{};
};

}  // namespace gopline::reading
