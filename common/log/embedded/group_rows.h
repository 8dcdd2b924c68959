#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/log/embedded/sqlite.h"
#include "common/log/embedded/topic_rows.h"
#include "common/log/group_assignment.h"
#include "common/log/log.h"

namespace gopline::embedded {

// One reader in its group.
struct Membership {
  std::string name;      // the member id
  std::string instance;  // this reader; another with the same member id fences it off
  std::vector<std::string> topics;
  Duration session_timeout{};
};

// A partition that a plan names, with what is needed to begin reading it.
struct PlannedPartition {
  TopicPartition where;
  std::int64_t partition = 0;
  std::string owner;    // who may read it now; empty: nobody
  std::string planned;  // who should
};

// A group in the catalogue: members with deadlines, who owns which partition, what is committed. There is no
// coordinator: whoever changes something does it in a write transaction, and everybody computes the same plan
// from the same rows (group_assignment.h). A partition changes hands in two steps: its owner sees that the
// plan wants it elsewhere, tells its caller, and lets go; then the new one takes it. An owner that is dead is
// passed over once its deadline has gone by.
class GroupRows {
 public:
  static Result<GroupRows> prepare(sqlite::Database& database, const std::string& group);

  // Everything but generation() and committed() belongs into a WriteTransaction.
  Result<void> join(const Membership& member, Timestamp now);
  // Moves the deadline on; a member that was given up joins again. kConflict when fenced off.
  Result<void> stay(const Membership& member, Timestamp now);
  Result<void> leave(const Membership& member);
  Result<void> remove_dead(Timestamp now);
  Result<std::vector<PlannedPartition>> plan(TopicRows& topics);
  Result<void> own(std::int64_t partition, const std::string& member);
  Result<void> disown(std::int64_t partition, const std::string& member);
  Result<bool> owns(std::int64_t partition, const Membership& member);
  Result<bool> has_members();
  Result<void> commit(std::int64_t partition, Offset next);

  // Changes whenever a plan may; also when a deadline has gone by, as another number.
  Result<std::int64_t> generation(Timestamp now);
  Result<std::optional<Offset>> committed(std::int64_t partition);

 private:
  Result<void> bump();
  Result<bool> is_member(const Membership& member, bool& fenced);
  Result<std::vector<GroupMember>> members();
  Result<std::optional<std::int64_t>> find_id();
  Result<std::int64_t> id();

  sqlite::Database* database_ = nullptr;
  std::string group_;
  std::optional<std::int64_t> id_;
  sqlite::Statement generation_, commit_, committed_, owns_;
};

}  // namespace gopline::embedded
