#include "aggregator/follow/resequencer.h"

#include <algorithm>
#include <limits>

namespace gopline::aggregator {
namespace {

constexpr std::size_t kPieceOverhead = 512;  // what a waiting piece costs beside its bytes
constexpr std::size_t kMostEpochs = 64;
constexpr std::size_t kMostTold = 1024;  // absences and written gaps of an epoch that are kept apart
constexpr std::size_t kGapsRemembered = 256;

Position start_of(EpochNumber epoch) {
  return {epoch, 0, 0};
}

std::size_t cost_of(const Piece& piece) {
  return piece.bytes + kPieceOverhead;
}

}  // namespace

// ---- what comes in

void Resequencer::start_at(const Position& start) {
  if (expected_ || !know(start.epoch)) return;
  begin(start);
}

// False: it is older than what is of interest.
bool Resequencer::know(EpochNumber epoch) {
  if (newest_ && epoch <= *newest_) return epochs_.contains(epoch);
  newest_ = epoch;
  epochs_.try_emplace(epoch);
  if (epochs_.size() > kMostEpochs) evict_epoch();
  return true;
}

void Resequencer::begin_epoch(EpochNumber epoch) {
  if (!know(epoch) || expected_) return;
  if (epochs_.begin()->first == epoch) begin(start_of(epoch));
}

void Resequencer::end_epoch(EpochNumber epoch, std::int64_t segments) {
  if (know(epoch)) epochs_[epoch].segments = segments;
}

void Resequencer::note_unwritten(EpochNumber epoch, std::int64_t before_segment,
                                 const UnwrittenFootage& footage) {
  if (!know(epoch)) return;
  auto& all = epochs_[epoch].unwritten;
  auto same = all.find(before_segment);
  if (same == all.end() && all.size() >= kMostTold) same = std::prev(all.end());
  if (same == all.end()) {
    all.emplace(before_segment, footage);
    return;
  }
  same->second.from = std::min(same->second.from, footage.from);
  same->second.to = std::max(same->second.to, footage.to);
  same->second.bytes += footage.bytes;
}

void Resequencer::lose(const Position& begin, const Position& end, AbsenceCause cause) {
  if (begin.epoch != end.epoch || !(begin < end) || !know(begin.epoch)) return;
  auto& absent = epochs_[begin.epoch].absent;
  if (expected_ && end <= *expected_) return;
  if (expected_ && begin.epoch == expected_->epoch) {  // of what is behind, nothing need be known
    while (!absent.empty() && absent.begin()->second.end <= *expected_) absent.erase(absent.begin());
  }
  if (absent.size() >= kMostTold) return;  // it is missing without being told, too
  // What was told first stays; a range inside another one adds nothing.
  auto after = absent.upper_bound(begin);
  auto from = begin;
  if (after != absent.begin()) from = std::max(from, std::prev(after)->second.end);
  auto to = after == absent.end() ? end : std::min(end, after->first);
  if (from < to) absent.emplace(from, Absent{to, cause});
}

Resequencer::Taken Resequencer::push(Piece piece) {
  auto at = piece.at;
  bool known = know(at.epoch);
  if (waiting_.contains(at) || (expected_ && at < *expected_)) return refuse(at);
  if (!known || at.epoch < *newest_) return refuse(at);
  const auto& evicted_to = epochs_[at.epoch].evicted_to;
  if (evicted_to && at < *evicted_to) return refuse(at);
  if (cost_of(piece) > options_.max_bytes) {
    ++stats_.over_budget;
    lose(at, piece.next(), AbsenceCause::kOverBudget);
    return Taken::kOverBudget;
  }
  waiting_bytes_ += cost_of(piece);
  if (piece.is_access_point()) access_points_.insert(at);
  waiting_.emplace(at, std::move(piece));
  evict();
  return waiting_.contains(at) ? Taken::kWaits : Taken::kOverBudget;
}

void Resequencer::finish() {
  finished_ = true;
  // Nothing begins any more with what has waited for a first access point.
  if (expected_ || !access_points_.empty() || epochs_.size() != 1) return;
  stats_.before_start += waiting_.size();
  waiting_.clear();
  waiting_bytes_ = 0;
}

// Seen before, or too late? Of what lies behind the output, only what was given up has not been put out.
Resequencer::Taken Resequencer::refuse(const Position& at) {
  auto holds = [&](const auto& range) { return range.first <= at && at < range.second; };
  bool behind = expected_ && at < *expected_;
  bool twice = waiting_.contains(at);
  if (behind && !twice) {
    if (at < *first_) {
      ++stats_.before_start;
      return Taken::kLate;
    }
    bool forgotten = given_up_.size() == kGapsRemembered && at < given_up_.front().first;
    twice = !forgotten && std::ranges::none_of(given_up_, holds);
  }
  ++(twice ? stats_.duplicates : stats_.late);
  return twice ? Taken::kDuplicate : Taken::kLate;
}

// ---- memory

void Resequencer::drop(Waiting::iterator piece) {
  waiting_bytes_ -= cost_of(piece->second);
  access_points_.erase(piece->first);
  waiting_.erase(piece);
}

std::int64_t Resequencer::drop_below(const Position& end) {
  std::int64_t dropped = 0;
  for (; !waiting_.empty() && waiting_.begin()->first < end; ++dropped) drop(waiting_.begin());
  return dropped;
}

void Resequencer::evict() {
  while (waiting_bytes_ > options_.max_bytes) {
    auto oldest = waiting_.begin();
    auto& evicted_to = epochs_[oldest->first.epoch].evicted_to;
    evicted_to = std::max(evicted_to, std::optional(oldest->second.next()));
    drop(oldest);
    ++stats_.over_budget;
  }
}

// More epochs than anybody joins: the oldest one that the output has not reached is passed over.
void Resequencer::evict_epoch() {
  auto victim = epochs_.begin();
  if (expected_ && victim->first == expected_->epoch) ++victim;
  auto piece = waiting_.lower_bound(start_of(victim->first));
  while (piece != waiting_.end() && piece->first.epoch == victim->first) {
    drop(piece++);
    ++stats_.over_budget;
  }
  epochs_.erase(victim);
  ++passed_over_;
}

// ---- what is next

bool Resequencer::is_closed(EpochNumber epoch) const {
  return finished_ || epoch < *newest_ || epochs_.at(epoch).segments.has_value();
}

std::optional<Position> Resequencer::access_point_from(const Position& position) const {
  auto found = access_points_.lower_bound(position);
  if (found == access_points_.end() || found->epoch != position.epoch) return std::nullopt;
  return *found;
}

// As far as anything is known of the epoch.
Position Resequencer::end_of(EpochNumber number) const {
  const auto& epoch = epochs_.at(number);
  Position end = start_of(number);
  if (epoch.segments) end = std::max(end, {number, *epoch.segments, 0});
  if (epoch.evicted_to) end = std::max(end, *epoch.evicted_to);
  if (!epoch.absent.empty()) end = std::max(end, epoch.absent.rbegin()->second.end);
  if (!epoch.unwritten.empty()) end = std::max(end, {number, epoch.unwritten.rbegin()->first, 0});
  auto after = waiting_.upper_bound({number, std::numeric_limits<std::int64_t>::max(), 0});
  if (after != waiting_.begin() && std::prev(after)->first.epoch == number)
    end = std::max(end, std::prev(after)->second.next());
  return end;
}

Resequencer::Step Resequencer::decide() const {
  if (!stated_.empty()) return {Move::kState};
  if (!expected_) return decide_beginning();
  const auto& epoch = epochs_.at(expected_->epoch);
  if (!epoch.unwritten.empty() &&
      Position{expected_->epoch, epoch.unwritten.begin()->first, 0} <= *expected_) {
    return {Move::kStateUnwritten};
  }
  auto here = waiting_.find(*expected_);
  if (here != waiting_.end()) {
    bool playable = !resuming_ || here->second.is_access_point();
    return {playable ? Move::kPlay : Move::kGiveUp, playable ? here->first : here->second.next()};
  }
  bool closed = is_closed(expected_->epoch);
  auto access_point = access_point_from(*expected_);
  auto end = access_point.value_or(std::max(*expected_, end_of(expected_->epoch)));
  if (*expected_ < end) {
    if (closed) return {Move::kGiveUp, end};
    if (auto run = absent_run(*expected_, end); run.told) return {Move::kGiveUp, run.end};
    if (access_point) return {Move::kResume, end};
  }
  return {closed && *newest_ > expected_->epoch ? Move::kJoin : Move::kNothing};
}

Resequencer::Step Resequencer::decide_beginning() const {
  if (epochs_.empty()) return {};
  auto oldest = epochs_.begin()->first;
  if (auto access_point = access_point_from(start_of(oldest))) return {Move::kBegin, *access_point};
  return {oldest < *newest_ ? Move::kPassOver : Move::kNothing};
}

std::optional<Resequencer::Next> Resequencer::next() const {
  auto step = decide();
  if (step.move == Move::kNothing) return std::nullopt;
  bool piece = step.move == Move::kPlay || step.move == Move::kResume || step.move == Move::kBegin;
  return Next{piece ? &waiting_.at(step.target) : nullptr, step.move == Move::kResume};
}

std::optional<EpochNumber> Resequencer::oldest_epoch() const {
  if (epochs_.empty()) return std::nullopt;
  return epochs_.begin()->first;
}

// ---- what goes out

std::optional<PlayoutItem> Resequencer::take() {
  auto step = decide();
  switch (step.move) {
    case Move::kNothing:
      return std::nullopt;
    case Move::kPlay:
      return play();
    case Move::kStateUnwritten:
      state_unwritten();
      break;
    case Move::kGiveUp:
    case Move::kResume:
      give_up(step.target);
      break;
    case Move::kBegin:
      begin(step.target);
      break;
    case Move::kPassOver:
      pass_over_beginning();
      break;
    case Move::kJoin:
      join_next();
      break;
    case Move::kState:
      break;
  }
  auto item = std::move(stated_.front());
  stated_.pop_front();
  return item;
}

void Resequencer::begin(const Position& start) {
  stats_.before_start += static_cast<std::uint64_t>(drop_below(start));
  epochs_.erase(epochs_.begin(), epochs_.find(start.epoch));
  bool from_its_start = start == start_of(start.epoch);
  auto& unwritten = epochs_[start.epoch].unwritten;
  if (!from_its_start) unwritten.erase(unwritten.begin(), unwritten.upper_bound(start.segment));
  first_ = expected_ = start;
  resuming_ = !from_its_start;
  stated_.push_back(EpochJoin{std::nullopt, start.epoch, from_its_start, false, passed_over_});
  passed_over_ = 0;
  ++stats_.joins;
}

// The oldest epoch is over and has no access point: the output begins with the one after it.
void Resequencer::pass_over_beginning() {
  epochs_.erase(epochs_.begin());
  begin(start_of(epochs_.begin()->first));
}

void Resequencer::join_next() {
  auto from = epochs_.begin();
  auto to = std::next(from)->first;
  stated_.push_back(EpochJoin{from->first, to, true, from->second.segments.has_value(), passed_over_});
  passed_over_ = 0;
  ++stats_.joins;
  remember_gap(*expected_, start_of(to));
  epochs_.erase(from);
  expected_ = start_of(to);
  resuming_ = in_gap_ = open_gop_ = false;
  reached_.reset();
}

PlayoutPiece Resequencer::play() {
  auto found = waiting_.find(*expected_);
  PlayoutPiece out{std::move(found->second), resuming_, false};
  waiting_bytes_ -= cost_of(out.piece);
  access_points_.erase(found->first);
  waiting_.erase(found);
  // Leading pictures may lie in any piece up to the next access point.
  if (out.piece.is_access_point()) open_gop_ = resuming_ && out.piece.sap == 3;
  out.drop_leading = open_gop_;
  resuming_ = in_gap_ = false;
  reached_ = out.piece.time + out.piece.duration;
  expected_ = out.piece.next();
  ++stats_.played;
  stats_.late += static_cast<std::uint64_t>(drop_below(*expected_));  // parts behind their segment's last
  return out;
}

// From `from` on, at most to `limit`: what is absent for the same reason.
Resequencer::Run Resequencer::absent_run(const Position& from, const Position& limit) const {
  const auto& epoch = epochs_.at(from.epoch);
  auto end = limit;
  auto piece = waiting_.lower_bound(from);
  if (piece != waiting_.end()) {
    // It is here and cannot be played because of what is missing before it.
    if (piece->first == from) return {std::min(end, piece->second.next()), cause_, true};
    end = std::min(end, piece->first);
  }
  auto after = epoch.absent.upper_bound(from);
  if (after != epoch.absent.begin() && from < std::prev(after)->second.end) {
    const auto& absent = std::prev(after)->second;
    return {std::min(end, absent.end), absent.cause, true};
  }
  if (after != epoch.absent.end()) end = std::min(end, after->first);
  if (epoch.evicted_to && from < *epoch.evicted_to)
    return {std::min(end, *epoch.evicted_to), AbsenceCause::kOverBudget, true};
  return {end, AbsenceCause::kLost, false};
}

// States [expected, target) as absent, reason by reason.
void Resequencer::give_up(const Position& target) {
  while (*expected_ < target) {
    auto run = absent_run(*expected_, target);
    auto unplayable = drop_below(run.end);
    stats_.unplayable += static_cast<std::uint64_t>(unplayable);
    state_gap(run.end, run.cause, unplayable);
  }
}

void Resequencer::state_gap(const Position& end, AbsenceCause cause, std::int64_t unplayable) {
  auto resumes = waiting_.find(end);
  auto until = resumes == waiting_.end() ? std::nullopt : std::optional(resumes->second.time);
  auto* before = stated_.empty() ? nullptr : std::get_if<PlayoutGap>(&stated_.back());
  remember_gap(*expected_, end);
  if (before && before->cause == cause && before->begin < before->end) {
    before->end = end;
    before->unplayable += unplayable;
    before->to = until;
  } else {
    stated_.push_back(PlayoutGap{*expected_, end, cause, in_gap_, unplayable, reached_, until, 0});
    if (!in_gap_) ++stats_.gaps;
  }
  expected_ = end;
  reached_ = until;
  cause_ = cause;
  in_gap_ = resuming_ = true;
}

void Resequencer::state_unwritten() {
  auto& unwritten = epochs_[expected_->epoch].unwritten;
  const auto& footage = unwritten.begin()->second;
  cause_ = footage.cause;
  stated_.push_back(
      PlayoutGap{*expected_, *expected_, cause_, in_gap_, 0, footage.from, footage.to, footage.bytes});
  reached_ = footage.to;
  if (!in_gap_) ++stats_.gaps;
  in_gap_ = resuming_ = true;
  unwritten.erase(unwritten.begin());
}

void Resequencer::remember_gap(const Position& begin, const Position& end) {
  if (!given_up_.empty() && given_up_.back().second == begin) {
    given_up_.back().second = end;
    return;
  }
  given_up_.emplace_back(begin, end);
  if (given_up_.size() > kGapsRemembered) given_up_.pop_front();
}

}  // namespace gopline::aggregator
