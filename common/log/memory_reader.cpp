#include <algorithm>

#include "common/base/uuid.h"
#include "common/log/atomic_publish.h"
#include "common/log/memory_state.h"

namespace gopline {
namespace {

// Memory that a record of no bytes still costs, so that a poll() of empty records ends, too.
constexpr std::size_t kRecordOverhead = 64;

struct Position {
  std::uint64_t topic_id = 0;
  Offset next;
};

class MemoryReader final : public LogReader, public AtomicPublisher {
 public:
  MemoryReader(std::shared_ptr<MemoryLogState> state, LogReaderOptions options)
      : state_(std::move(state)),
        options_(std::move(options)),
        member_id_(options_.member_id.empty() ? random_uuid() : options_.member_id) {}

  // A member with a random id leaves; a static one is expected back within its session time-out.
  ~MemoryReader() override {
    if (topics_.empty() || !options_.member_id.empty()) return;
    std::lock_guard lock(state_->mutex);
    auto& group = state_->groups[options_.group];
    group.members.erase(member_id_);
    state_->remove_dead_members(group);
    state_->changed.notify_all();
  }

  Result<void> assign(const std::vector<std::pair<TopicPartition, StartPosition>>& partitions) override {
    std::lock_guard lock(state_->mutex);
    if (!topics_.empty())
      return fail(ErrorCode::kInvalidArgument, "this reader has subscribed; it cannot assign");
    std::map<TopicPartition, Position> positions;
    for (const auto& [where, start] : partitions) {
      GOPLINE_ASSIGN(positions[where], resolve(where, start));
    }
    positions_ = std::move(positions);
    return {};
  }

  Result<void> subscribe(const std::vector<std::string>& topics, StartPosition first_start) override {
    std::lock_guard lock(state_->mutex);
    if (options_.group.empty()) return fail(ErrorCode::kInvalidArgument, "subscribe() needs a group");
    if (topics.empty()) return fail(ErrorCode::kInvalidArgument, "subscribe() needs a topic");
    for (const auto& topic : topics) GOPLINE_TRY(state_->find_topic(topic));
    topics_ = topics;
    first_start_ = first_start;
    positions_.clear();
    instance_ = state_->next_id++;
    auto& group = state_->groups[options_.group];
    state_->remove_dead_members(group);
    group.members[member_id_] = {instance_, topics_, state_->options.clock->steady_now(),
                                 options_.session_timeout, 0};
    state_->changed.notify_all();
    return {};
  }

  std::vector<TopicPartition> assignment() const override {
    std::lock_guard lock(state_->mutex);
    std::vector<TopicPartition> all;
    for (const auto& [where, position] : positions_) all.push_back(where);
    return all;
  }

  Result<std::vector<StoredRecord>> poll(Duration max_wait) override {
    auto until = std::chrono::steady_clock::now() + max_wait;
    std::unique_lock lock(state_->mutex);
    if (auto error = state_->fail_polls.take()) return tl::unexpected<Error>(*error);
    while (true) {
      if (topics_.empty()) {
        GOPLINE_TRY(drop_missing_topics());
      } else {
        GOPLINE_TRY(keep_house(lock));
      }
      auto records = take_ready();
      if (!records.empty() || std::exchange(woken_, false)) return records;
      set_polling(1);
      auto outcome = state_->changed.wait_until(lock, until);
      set_polling(-1);
      if (outcome == std::cv_status::timeout) {
        woken_ = false;
        return take_ready();
      }
    }
  }

  void wakeup() override {
    {
      std::lock_guard lock(state_->mutex);
      woken_ = true;
    }
    state_->changed.notify_all();
  }

  Result<Offset> position(const TopicPartition& where) override {
    std::lock_guard lock(state_->mutex);
    return assigned(where);
  }

  Result<std::int64_t> lag(const TopicPartition& where) override {
    std::lock_guard lock(state_->mutex);
    GOPLINE_ASSIGN(auto next, assigned(where));
    GOPLINE_ASSIGN(auto* partition, state_->find_partition(where));
    return std::max<std::int64_t>(partition->end.value - next.value, 0);
  }

  Result<void> seek(const TopicPartition& where, StartPosition start) override {
    std::lock_guard lock(state_->mutex);
    auto found = positions_.find(where);
    if (found == positions_.end()) {
      return fail(ErrorCode::kInvalidArgument, "partition {} of \"{}\" is not assigned to this reader",
                  where.partition, where.topic);
    }
    GOPLINE_ASSIGN(found->second, resolve(where, start));
    return {};
  }

  Result<void> commit(const TopicPartition& where, Offset next) override {
    return publish_and_commit({}, {{where, next}});
  }

  Result<void> publish_and_commit(const std::vector<RecordToPublish>& records,
                                  const std::map<TopicPartition, Offset>& next) override {
    std::lock_guard lock(state_->mutex);
    if (options_.group.empty()) return fail(ErrorCode::kInvalidArgument, "commit() needs a group");
    auto& group = state_->groups[options_.group];
    state_->remove_dead_members(group);
    for (const auto& [where, offset] : next) GOPLINE_TRY(check_is_mine(group, where));
    for (const auto& record : records) {
      GOPLINE_TRY(state_->find_partition(record.where));
      if (record.record.value && record.record.value->size() > state_->options.max_record_bytes)
        return fail(ErrorCode::kTooLarge, "a record of {} bytes", record.record.value->size());
    }
    for (const auto& record : records)
      state_->store(**state_->find_topic(record.where.topic), record.where, record.record);
    for (const auto& [where, offset] : next) group.committed[where] = offset;
    return {};
  }

  Result<std::optional<Offset>> committed(const TopicPartition& where) override {
    std::lock_guard lock(state_->mutex);
    if (options_.group.empty()) return fail(ErrorCode::kInvalidArgument, "committed() needs a group");
    GOPLINE_TRY(state_->find_partition(where));
    const auto& committed = state_->groups[options_.group].committed;
    auto found = committed.find(where);
    return found == committed.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  static std::string owner_of(const MemoryGroup& group, const TopicPartition& where) {
    auto found = group.owners.find(where);
    return found == group.owners.end() ? std::string() : found->second;
  }

  Result<void> check_is_mine(const MemoryGroup& group, const TopicPartition& where) const {
    GOPLINE_TRY(state_->find_partition(where));
    bool mine =
        topics_.empty() ? group.members.empty() : is_member(group) && owner_of(group, where) == member_id_;
    if (mine) return {};
    return fail(ErrorCode::kConflict, "group \"{}\": partition {} of \"{}\" belongs to another reader now",
                options_.group, where.partition, where.topic);
  }

  bool is_member(const MemoryGroup& group) const {
    auto found = group.members.find(member_id_);
    return found != group.members.end() && found->second.instance == instance_;
  }

  void set_polling(int change) {
    if (topics_.empty()) return;
    auto& group = state_->groups[options_.group];
    if (!is_member(group)) return;
    group.members[member_id_].polling += change;
    group.members[member_id_].last_seen = state_->options.clock->steady_now();
  }

  Result<Offset> assigned(const TopicPartition& where) const {
    auto found = positions_.find(where);
    if (found != positions_.end()) return found->second.next;
    return fail(ErrorCode::kNotFound, "partition {} of \"{}\" is not assigned to this reader",
                where.partition, where.topic);
  }

  Result<Position> resolve(const TopicPartition& where, const StartPosition& start) const {
    GOPLINE_ASSIGN(auto* partition, state_->find_partition(where));
    auto id = (*state_->find_topic(where.topic))->id;
    switch (start.kind) {
      case StartPosition::Kind::kBeginning:
        return Position{id, partition->begin};
      case StartPosition::Kind::kEnd:
        return Position{id, partition->end};
      case StartPosition::Kind::kOffset:
        return Position{id, std::clamp(start.offset, partition->begin, partition->end)};
      case StartPosition::Kind::kTimestamp:
        break;
    }
    for (const auto& record : partition->records) {
      if (record.timestamp >= start.timestamp) return Position{id, record.offset};
    }
    return Position{id, partition->end};
  }

  // A deleted topic is told once; then the reader goes on with what is left.
  Result<void> drop_missing_topics() {
    for (const auto& [where, position] : positions_) {
      auto topic = state_->find_topic(where.topic);
      if (topic && (*topic)->id == position.topic_id) continue;
      auto name = where.topic;
      std::erase_if(positions_, [&](const auto& entry) { return entry.first.topic == name; });
      return fail(ErrorCode::kNotFound, "topic \"{}\" was deleted while it was read", name);
    }
    return {};
  }

  std::vector<TopicPartition> partitions_of_group(const MemoryGroup& group) const {
    std::set<std::string> names;
    for (const auto& [id, member] : group.members) names.insert(member.topics.begin(), member.topics.end());
    std::vector<TopicPartition> all;
    for (const auto& name : names) {
      auto topic = state_->find_topic(name);
      for (std::int32_t at = 0; topic && at < (*topic)->info.partitions; ++at)
        all.push_back({name, PartitionId(at)});
    }
    return all;
  }

  Ownership plan(const MemoryGroup& group) const {
    std::vector<GroupMember> members;
    for (const auto& [id, member] : group.members) members.push_back({id, member.topics});
    return plan_assignment(std::move(members), partitions_of_group(group), group.owners);
  }

  // Stays a member, gives back what the plan wants elsewhere, and takes what it wants here and nobody holds
  // any more.
  Result<void> keep_house(std::unique_lock<std::mutex>& lock) {
    auto& group = state_->groups[options_.group];
    auto found = group.members.find(member_id_);
    if (found != group.members.end() && found->second.instance != instance_) {
      return fail(ErrorCode::kConflict, "group \"{}\": another reader has joined as \"{}\"", options_.group,
                  member_id_);
    }
    if (found == group.members.end()) {  // timed out, and perhaps replaced: joins anew
      group.members[member_id_] = {instance_, topics_, {}, options_.session_timeout, 0};
      state_->changed.notify_all();
    }
    group.members[member_id_].last_seen = state_->options.clock->steady_now();
    state_->remove_dead_members(group);

    std::vector<TopicPartition> lost;
    auto planned = plan(group);
    for (const auto& [where, position] : positions_) {
      auto wanted = planned.find(where);
      auto topic = state_->find_topic(where.topic);
      if (owner_of(group, where) != member_id_ || wanted == planned.end() || wanted->second != member_id_ ||
          !topic || (*topic)->id != position.topic_id) {
        lost.push_back(where);
      }
    }
    if (!lost.empty()) {
      // Told while still the owner, so that the callback can commit.
      if (options_.on_revoked) {
        lock.unlock();
        options_.on_revoked(lost);
        lock.lock();
      }
      for (const auto& where : lost) {
        positions_.erase(where);
        if (owner_of(group, where) == member_id_ && is_member(group)) group.owners.erase(where);
      }
      state_->changed.notify_all();
      planned = plan(group);
    }
    return take_partitions(lock, group, planned);
  }

  Result<void> take_partitions(std::unique_lock<std::mutex>& lock, MemoryGroup& group,
                               const Ownership& planned) {
    std::vector<TopicPartition> gained;
    for (const auto& [where, member] : planned) {
      auto owner = owner_of(group, where);
      if (member != member_id_ || positions_.contains(where) || (!owner.empty() && owner != member_id_))
        continue;
      GOPLINE_ASSIGN(auto* partition, state_->find_partition(where));
      auto start = first_start_;
      auto committed = group.committed.find(where);
      if (committed != group.committed.end() && committed->second <= partition->end) {
        start = StartPosition::at(committed->second);
      }
      GOPLINE_ASSIGN(positions_[where], resolve(where, start));
      group.owners[where] = member_id_;
      gained.push_back(where);
    }
    if (!gained.empty() && options_.on_assigned) {
      lock.unlock();
      options_.on_assigned(gained);
      lock.lock();
    }
    return {};
  }

  // Partitions take turns at being first, so that a busy one starves no other.
  std::vector<StoredRecord> take_ready() {
    std::vector<StoredRecord> records;
    if (state_->delivers_nothing) return records;
    std::size_t bytes = 0;
    std::vector<TopicPartition> turn;
    for (const auto& [where, position] : positions_) turn.push_back(where);
    if (!turn.empty()) {
      std::rotate(turn.begin(), turn.begin() + static_cast<std::ptrdiff_t>(turns_++ % turn.size()),
                  turn.end());
    }
    for (const auto& where : turn) {
      auto partition = state_->find_partition(where);
      if (!partition) continue;
      auto& position = positions_[where];
      auto record = (*partition)->at_or_after(position.next);
      if (record == (*partition)->records.end()) position.next = (*partition)->end;  // nothing but holes
      for (; record != (*partition)->records.end(); ++record) {
        auto cost = kRecordOverhead + (record->value && !options_.headers_only ? record->value->size() : 0);
        if (!records.empty() && bytes + cost > options_.max_poll_bytes) return records;
        bytes += cost;
        position.next = record->offset.next();
        records.push_back(*record);
        if (options_.headers_only && records.back().value) {
          records.back().value = Buffer();
          records.back().pinned_bytes = 0;
        }
      }
    }
    return records;
  }

  std::shared_ptr<MemoryLogState> state_;
  const LogReaderOptions options_;
  const std::string member_id_;
  std::uint64_t instance_ = 0;
  std::vector<std::string> topics_;  // subscribed; empty with assign()
  StartPosition first_start_;
  std::map<TopicPartition, Position> positions_;
  std::size_t turns_ = 0;
  bool woken_ = false;
};

}  // namespace

std::unique_ptr<LogReader> make_memory_reader(std::shared_ptr<MemoryLogState> state,
                                              LogReaderOptions options) {
  return std::make_unique<MemoryReader>(std::move(state), std::move(options));
}

}  // namespace gopline
