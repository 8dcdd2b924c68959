#include "common/base/uuid.h"
#include "common/log/embedded/embedded_reader.h"

// The embedded reader as a member of a group.
namespace gopline::embedded {

EmbeddedReader::~EmbeddedReader() {
  // A member with a random id leaves; a static one is expected back within its session time-out.
  if (member_.topics.empty() || !options_.member_id.empty()) return;
  auto transaction = sqlite::WriteTransaction::begin(database_, log_->write_turn);
  if (transaction && group_rows_.leave(member_) && transaction->commit()) log_->tail->touch();
}

Result<void> EmbeddedReader::require_group(const char* call) const {
  if (options_.group.empty()) return fail(ErrorCode::kInvalidArgument, "{} needs a group", call);
  return {};
}

Result<void> EmbeddedReader::subscribe(const std::vector<std::string>& topics, StartPosition first_start) {
  GOPLINE_TRY(require_group("subscribe()"));
  if (topics.empty()) return fail(ErrorCode::kInvalidArgument, "subscribe() needs a topic");
  if (log_->options.read_only) {
    return fail(ErrorCode::kPermissionDenied, "{}: opened for reading only; groups are kept in the log",
                log_->options.directory);
  }
  for (const auto& topic : topics) GOPLINE_TRY(find_partition({topic, PartitionId(0)}));
  auto member = member_;
  member.topics = topics;
  member.instance = random_uuid();
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, log_->write_turn));
  auto now = log_->options.clock->now();
  GOPLINE_TRY(group_rows_.remove_dead(now));
  GOPLINE_TRY(group_rows_.join(member, now));
  GOPLINE_TRY(transaction.commit());
  member_ = std::move(member);
  first_start_ = first_start;
  positions_.clear();
  generation_ = -1;
  log_->tail->touch();
  return {};
}

Result<EmbeddedReader::Position> EmbeddedReader::resolve_in_group(const TopicPartition& where) {
  GOPLINE_ASSIGN(auto partition, find_partition(where));
  GOPLINE_ASSIGN(auto committed, group_rows_.committed(partition.id));
  return resolve(
      where, committed && *committed <= partition.range.end ? StartPosition::at(*committed) : first_start_);
}

// Stays a member, gives back what the plan wants elsewhere, and takes what it wants here and nobody holds any
// more. Writes only when a heartbeat is due or something has changed.
Result<void> EmbeddedReader::keep_house() {
  while (true) {
    const auto& clock = *log_->options.clock;
    GOPLINE_ASSIGN(auto generation, group_rows_.generation(clock.now()));
    bool due = clock.steady_now() - last_stay_ >= options_.session_timeout / 3;
    if (generation == generation_ && !due) return {};

    std::vector<TopicPartition> lost, gained;
    GOPLINE_ASSIGN(bool changed, rebalance(lost, gained));
    last_stay_ = clock.steady_now();
    if (changed) log_->tail->touch();
    if (!lost.empty()) {
      // Told while still the owner, so that the callback can commit.
      if (options_.on_revoked) options_.on_revoked(lost);
      GOPLINE_TRY(let_go(lost));
      continue;
    }
    if (!gained.empty() && options_.on_assigned) options_.on_assigned(gained);
    return {};
  }
}

// In one transaction: what has to go, or, if nothing has, what may be taken. Whether the group changed for
// others.
Result<bool> EmbeddedReader::rebalance(std::vector<TopicPartition>& lost,
                                       std::vector<TopicPartition>& gained) {
  auto now = log_->options.clock->now();
  GOPLINE_ASSIGN(auto before, group_rows_.generation(now));
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, log_->write_turn));
  GOPLINE_TRY(group_rows_.stay(member_, now));
  GOPLINE_TRY(group_rows_.remove_dead(now));
  GOPLINE_ASSIGN(auto plan, group_rows_.plan(topic_rows_));

  std::map<std::int64_t, const PlannedPartition*> mine;
  for (const auto& partition : plan) {
    if (partition.planned == member_.name) mine[partition.partition] = &partition;
  }
  for (const auto& [where, position] : positions_) {
    auto found = mine.find(position.partition);
    if (found == mine.end() || found->second->owner != member_.name) lost.push_back(where);
  }
  std::map<TopicPartition, Position> taken;
  if (lost.empty()) {
    for (const auto& [id, partition] : mine) {
      bool free = partition->owner.empty() || partition->owner == member_.name;
      if (!free || positions_.contains(partition->where)) continue;
      GOPLINE_ASSIGN(taken[partition->where], resolve_in_group(partition->where));
      GOPLINE_TRY(group_rows_.own(id, member_.name));
      gained.push_back(partition->where);
    }
  }
  GOPLINE_ASSIGN(auto after, group_rows_.generation(now));
  GOPLINE_TRY(transaction.commit());
  positions_.merge(taken);
  generation_ = after;
  return after != before;
}

Result<void> EmbeddedReader::let_go(const std::vector<TopicPartition>& lost) {
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, log_->write_turn));
  for (const auto& where : lost) {
    auto partition = positions_[where].partition;
    GOPLINE_ASSIGN(bool mine, group_rows_.owns(partition, member_));
    if (mine) GOPLINE_TRY(group_rows_.disown(partition, member_.name));
  }
  GOPLINE_TRY(transaction.commit());
  for (const auto& where : lost) positions_.erase(where);
  log_->tail->touch();
  return {};
}

Result<void> EmbeddedReader::may_commit(const char* call) const {
  GOPLINE_TRY(require_group(call));
  if (!log_->options.read_only) return {};
  return fail(ErrorCode::kPermissionDenied, "{}: opened for reading only; commits are kept in the log",
              log_->options.directory);
}

Result<void> EmbeddedReader::commit(const TopicPartition& where, Offset next) {
  GOPLINE_TRY(may_commit("commit()"));
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database_, log_->write_turn));
  GOPLINE_TRY(group_rows_.remove_dead(log_->options.clock->now()));
  GOPLINE_TRY(commit_within(where, next));
  return transaction.commit();
}

// Inside a WriteTransaction, behind remove_dead().
Result<void> EmbeddedReader::commit_within(const TopicPartition& where, Offset next) {
  GOPLINE_ASSIGN(auto partition, find_partition(where));
  bool mine;
  if (member_.topics.empty()) {
    GOPLINE_ASSIGN(bool others, group_rows_.has_members());
    mine = !others;
  } else {
    GOPLINE_ASSIGN(mine, group_rows_.owns(partition.id, member_));
  }
  if (!mine) {
    return fail(ErrorCode::kConflict, "group \"{}\": partition {} of \"{}\" belongs to another reader now",
                options_.group, where.partition, where.topic);
  }
  return group_rows_.commit(partition.id, next);
}

Result<std::optional<Offset>> EmbeddedReader::committed(const TopicPartition& where) {
  GOPLINE_TRY(require_group("committed()"));
  GOPLINE_ASSIGN(auto partition, find_partition(where));
  return group_rows_.committed(partition.id);
}

}  // namespace gopline::embedded
