#include "common/reading/group_member.h"

#include <algorithm>
#include <utility>

#include "common/base/logging.h"

namespace gopline::reading {
namespace {

constexpr Duration kLongestWait = std::chrono::milliseconds(200);

}  // namespace

GroupMember::GroupMember(Log& log, const Clock& clock, GroupMemberOptions options, MakeWork make_work)
    : log_(log), clock_(clock), options_(std::move(options)), make_work_(std::move(make_work)) {}

GroupMember::~GroupMember() = default;

Result<std::unique_ptr<GroupMember>> GroupMember::join(Log& log, const Clock& clock,
                                                       GroupMemberOptions options, MakeWork make_work) {
  std::unique_ptr<GroupMember> member(new GroupMember(log, clock, std::move(options), std::move(make_work)));
  GOPLINE_TRY(member->join_now());
  return member;
}

Result<void> GroupMember::join_now() {
  GOPLINE_ASSIGN(auto info, log_.describe_topic(options_.topic));
  for (std::int32_t i = 0; options_.until_end && i < info.partitions; ++i) {
    TopicPartition where{options_.topic, PartitionId(i)};
    GOPLINE_ASSIGN(auto kept, log_.offsets(where));
    ends_[where] = kept.end;
  }
  LogReaderOptions reading;
  reading.group = options_.group;
  reading.member_id = options_.member_id;
  reading.max_poll_bytes = options_.poll_bytes;
  reading.session_timeout = options_.session_timeout;
  reading.verify_values = false;  // every chunk's own hash is checked
  reading.on_revoked = [this](const std::vector<TopicPartition>& lost) { hand_over(lost); };
  reading.on_assigned = [this](const std::vector<TopicPartition>& gained) { take_over(gained); };
  GOPLINE_ASSIGN(reader_, log_.make_reader(std::move(reading)));
  return reader_->subscribe({options_.topic}, options_.first_start);
}

void GroupMember::take_over(const std::vector<TopicPartition>& gained) {
  has_joined_ = true;
  for (const auto& where : gained) work_.insert_or_assign(where, make_work_(where, *reader_));
  log_debug(options_.group, "{} partitions more", gained.size());
}

void GroupMember::hand_over(const std::vector<TopicPartition>& lost) {
  for (const auto& where : lost) {
    auto found = work_.find(where);
    if (found == work_.end()) continue;
    found->second->finish(true);
    work_.erase(found);
  }
  log_info(options_.group, "{} partitions are another's now", lost.size());
}

Result<void> GroupMember::run(const StopToken& stop, const std::function<void()>& before_ticks) {
  std::stop_callback wake(stop, [&] { reader_->wakeup(); });
  Result<void> result;
  while (result && !stop.stop_requested() && !is_at_the_end()) result = go_on(stop, before_ticks);
  if (!result && stop.stop_requested()) result = {};
  finish_all();
  return result;
}

Result<void> GroupMember::go_on(const StopToken& stop, const std::function<void()>& before_ticks) {
  auto records = reader_->poll(kLongestWait);
  if (!records) {
    if (stop.stop_requested()) return {};
    if (records.error().code != ErrorCode::kUnavailable)
      return tl::unexpected<Error>(std::move(records.error()));
    log_warning(options_.group, "{}", records.error().message);
    return {};
  }
  for (auto& record : *records) {
    if (stop.stop_requested()) return {};
    auto found = work_.find(record.where);
    if (found != work_.end()) GOPLINE_TRY(found->second->take(std::move(record), clock_.steady_now()));
  }
  auto now = clock_.steady_now();
  if (now < tick_at_) return {};
  tick_at_ = now + options_.between_ticks;
  if (before_ticks) before_ticks();
  for (auto& [where, work] : work_) GOPLINE_TRY(work->tick(now));
  return {};
}

bool GroupMember::is_at_the_end() {
  if (!options_.until_end || !has_joined_) return false;
  return std::ranges::all_of(work_, [&](const auto& one) {
    auto position = reader_->position(one.first);
    return position && *position >= ends_[one.first] && !one.second->is_behind();
  });
}

void GroupMember::finish_all() {
  for (auto& [where, work] : work_) work->finish(false);
  work_.clear();
}

std::int64_t GroupMember::lag() {
  std::int64_t total = 0;
  for (const auto& [where, work] : work_) total += reader_->lag(where).value_or(0);
  return total;
}

}  // namespace gopline::reading
