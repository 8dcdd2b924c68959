#include "common/log/embedded/group_rows.h"

#include "common/log/embedded/record_codec.h"

namespace gopline::embedded {
namespace {

std::int64_t microseconds(Timestamp time) {
  return time.time_since_epoch().count();
}

// Topic names are stored as headers are: a list of byte strings.
std::string encode_topics(const std::vector<std::string>& topics) {
  Headers list;
  for (const auto& topic : topics) list.push_back({topic, ""});
  return encode_headers(list);
}

Result<std::vector<std::string>> decode_topics(std::string_view bytes) {
  GOPLINE_ASSIGN(auto list, decode_headers(bytes));
  std::vector<std::string> topics;
  for (auto& entry : list) topics.push_back(std::move(entry.name));
  return topics;
}

}  // namespace

Result<GroupRows> GroupRows::prepare(sqlite::Database& database, const std::string& group) {
  GroupRows rows;
  rows.database_ = &database;
  rows.group_ = group;
  GOPLINE_ASSIGN(
      rows.generation_,
      database.prepare("SELECT generation, EXISTS (SELECT 1 FROM members WHERE reader_group = g.id AND"
                       " deadline_us < ?) FROM reader_groups g WHERE id = ?"));
  GOPLINE_ASSIGN(rows.commit_,
                 database.prepare("INSERT OR REPLACE INTO commits (reader_group, partition, next)"
                                  " VALUES (?, ?, ?)"));
  GOPLINE_ASSIGN(rows.committed_,
                 database.prepare("SELECT next FROM commits WHERE reader_group = ? AND partition = ?"));
  GOPLINE_ASSIGN(
      rows.owns_,
      database.prepare("SELECT 1 FROM owners o JOIN members m ON m.reader_group = o.reader_group AND"
                       " m.name = o.member WHERE o.reader_group = ? AND o.partition = ? AND o.member = ?"
                       " AND m.instance = ?"));
  return rows;
}

Result<std::optional<std::int64_t>> GroupRows::find_id() {
  if (id_) return id_;
  GOPLINE_ASSIGN(auto find, database_->prepare("SELECT id FROM reader_groups WHERE name = ?"));
  GOPLINE_ASSIGN(bool have, find.bind(group_).step());
  if (have) id_ = find.integer(0);
  return id_;
}

Result<std::int64_t> GroupRows::id() {
  GOPLINE_ASSIGN(auto known, find_id());
  if (known) return *known;
  GOPLINE_ASSIGN(auto insert,
                 database_->prepare("INSERT INTO reader_groups (name, generation) VALUES (?, 1)"));
  GOPLINE_TRY(insert.bind(group_).run());
  // Not remembered: this transaction may yet be rolled back.
  return sqlite3_last_insert_rowid(database_->handle());
}

Result<void> GroupRows::bump() {
  GOPLINE_ASSIGN(auto group, id());
  GOPLINE_ASSIGN(auto update,
                 database_->prepare("UPDATE reader_groups SET generation = generation + 1 WHERE id = ?"));
  return update.bind(group).run();
}

Result<void> GroupRows::join(const Membership& member, Timestamp now) {
  GOPLINE_ASSIGN(auto group, id());
  GOPLINE_ASSIGN(auto insert,
                 database_->prepare("INSERT OR REPLACE INTO members (reader_group, name, instance, topics,"
                                    " deadline_us, timeout_us) VALUES (?, ?, ?, ?, ?, ?)"));
  auto topics = encode_topics(member.topics);
  GOPLINE_TRY(insert
                  .bind(group, member.name, member.instance, sqlite::Blob{topics},
                        microseconds(now + member.session_timeout),
                        std::int64_t{member.session_timeout.count()})
                  .run());
  return bump();
}

Result<bool> GroupRows::is_member(const Membership& member, bool& fenced) {
  GOPLINE_ASSIGN(auto group, id());
  GOPLINE_ASSIGN(auto find,
                 database_->prepare("SELECT instance FROM members WHERE reader_group = ? AND name = ?"));
  GOPLINE_ASSIGN(bool have, find.bind(group, member.name).step());
  fenced = have && find.bytes(0) != member.instance;
  return have;
}

Result<void> GroupRows::stay(const Membership& member, Timestamp now) {
  bool fenced = false;
  GOPLINE_ASSIGN(bool known, is_member(member, fenced));
  if (fenced) {
    return fail(ErrorCode::kConflict, "group \"{}\": another reader has joined as \"{}\"", group_,
                member.name);
  }
  if (!known) return join(member, now);
  GOPLINE_ASSIGN(auto group, id());
  GOPLINE_ASSIGN(auto update, database_->prepare(
                                  "UPDATE members SET deadline_us = ? WHERE reader_group = ? AND name = ?"));
  return update.bind(microseconds(now + member.session_timeout), group, member.name).run();
}

Result<void> GroupRows::leave(const Membership& member) {
  bool fenced = false;
  GOPLINE_ASSIGN(bool known, is_member(member, fenced));
  if (!known || fenced) return {};
  GOPLINE_ASSIGN(auto group, id());
  for (const char* sql : {"DELETE FROM members WHERE reader_group = ? AND name = ?",
                          "DELETE FROM owners WHERE reader_group = ? AND member = ?"}) {
    GOPLINE_ASSIGN(auto remove, database_->prepare(sql));
    GOPLINE_TRY(remove.bind(group, member.name).run());
  }
  return bump();
}

Result<void> GroupRows::remove_dead(Timestamp now) {
  GOPLINE_ASSIGN(auto group, id());
  // A deadline further away than the time-out was set before the host's clock was put back.
  GOPLINE_ASSIGN(auto remove,
                 database_->prepare("DELETE FROM members WHERE reader_group = ?1 AND (deadline_us < ?2 OR"
                                    " deadline_us > ?2 + 2 * timeout_us)"));
  GOPLINE_TRY(remove.bind(group, microseconds(now)).run());
  if (sqlite3_changes(database_->handle()) == 0) return {};
  GOPLINE_ASSIGN(auto orphans,
                 database_->prepare("DELETE FROM owners WHERE reader_group = ?1 AND member NOT IN"
                                    " (SELECT name FROM members WHERE reader_group = ?1)"));
  GOPLINE_TRY(orphans.bind(group).run());
  return bump();
}

Result<std::vector<GroupMember>> GroupRows::members() {
  GOPLINE_ASSIGN(auto group, id());
  GOPLINE_ASSIGN(auto select, database_->prepare("SELECT name, topics FROM members WHERE reader_group = ?"));
  select.bind(group);
  std::vector<GroupMember> all;
  while (true) {
    GOPLINE_ASSIGN(bool have, select.step());
    if (!have) return all;
    GOPLINE_ASSIGN(auto topics, decode_topics(select.bytes(1)));
    all.push_back({std::string(select.bytes(0)), std::move(topics)});
  }
}

Result<std::vector<PlannedPartition>> GroupRows::plan(TopicRows& topics) {
  GOPLINE_ASSIGN(auto group, id());
  GOPLINE_ASSIGN(auto everyone, members());
  std::map<std::int64_t, std::string> owner_of;
  GOPLINE_ASSIGN(auto owners,
                 database_->prepare("SELECT partition, member FROM owners WHERE reader_group = ?"));
  owners.bind(group);
  while (true) {
    GOPLINE_ASSIGN(bool have, owners.step());
    if (!have) break;
    owner_of[owners.integer(0)] = std::string(owners.bytes(1));
  }
  std::vector<PlannedPartition> planned;
  std::vector<TopicPartition> partitions;
  Ownership current;
  std::map<std::string, bool> seen;
  for (const auto& member : everyone) {
    for (const auto& name : member.topics) {
      if (!seen.try_emplace(name, true).second) continue;
      GOPLINE_ASSIGN(auto topic, topics.find(name));
      if (!topic) continue;
      GOPLINE_ASSIGN(auto rows, topics.partitions(topic->id));
      for (const auto& row : rows) {
        PlannedPartition partition{{name, PartitionId(row.number)}, row.id, owner_of[row.id], ""};
        if (!partition.owner.empty()) current[partition.where] = partition.owner;
        partitions.push_back(partition.where);
        planned.push_back(std::move(partition));
      }
    }
  }
  auto plan = plan_assignment(std::move(everyone), partitions, current);
  for (auto& partition : planned) {
    if (auto found = plan.find(partition.where); found != plan.end()) partition.planned = found->second;
  }
  return planned;
}

Result<void> GroupRows::own(std::int64_t partition, const std::string& member) {
  GOPLINE_ASSIGN(auto group, id());
  GOPLINE_ASSIGN(auto insert,
                 database_->prepare("INSERT OR REPLACE INTO owners (reader_group, partition, member)"
                                    " VALUES (?, ?, ?)"));
  return insert.bind(group, partition, member).run();
}

Result<void> GroupRows::disown(std::int64_t partition, const std::string& member) {
  GOPLINE_ASSIGN(auto group, id());
  GOPLINE_ASSIGN(auto remove,
                 database_->prepare("DELETE FROM owners WHERE reader_group = ? AND partition = ? AND"
                                    " member = ?"));
  GOPLINE_TRY(remove.bind(group, partition, member).run());
  return bump();
}

Result<bool> GroupRows::owns(std::int64_t partition, const Membership& member) {
  GOPLINE_ASSIGN(auto group, id());
  sqlite::Resetting resetting(owns_);
  return owns_.bind(group, partition, member.name, member.instance).step();
}

Result<bool> GroupRows::has_members() {
  GOPLINE_ASSIGN(auto everyone, members());
  return !everyone.empty();
}

Result<void> GroupRows::commit(std::int64_t partition, Offset next) {
  GOPLINE_ASSIGN(auto group, id());
  return commit_.bind(group, partition, next.value).run();
}

Result<std::int64_t> GroupRows::generation(Timestamp now) {
  GOPLINE_ASSIGN(auto group, find_id());
  if (!group) return 0;
  sqlite::Resetting resetting(generation_);
  GOPLINE_ASSIGN(bool have, generation_.bind(microseconds(now), *group).step());
  if (!have) return 0;
  return generation_.integer(1) != 0 ? -1 - generation_.integer(0) : generation_.integer(0);
}

Result<std::optional<Offset>> GroupRows::committed(std::int64_t partition) {
  GOPLINE_ASSIGN(auto group, find_id());
  if (!group) return std::optional<Offset>{};
  sqlite::Resetting resetting(committed_);
  GOPLINE_ASSIGN(bool have, committed_.bind(*group, partition).step());
  return have ? std::optional(Offset(committed_.integer(0))) : std::nullopt;
}

}  // namespace gopline::embedded
