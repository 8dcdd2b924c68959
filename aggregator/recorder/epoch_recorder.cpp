#include "aggregator/recorder/epoch_recorder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/logging.h"
#include "common/base/rational.h"

namespace gopline::aggregator {
namespace {

Timestamp end_of(const record::SegmentHeaders& headers) {
  auto duration = headers.duration.value_or(Rational{});
  return headers.time + Duration(rescale(duration.num, {1, duration.den}, {1, 1'000'000}));
}

std::optional<Offset> lower(std::optional<Offset> a, std::optional<Offset> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

// Two gaps in a row that are one: what was lost, told by its writer and seen by its number.
bool is_one(const Absence& a, const Absence& b) {
  return a.cause == b.cause && (a.cause == AbsenceCause::kLost || (a.first_segment && b.first_segment)) &&
         (!a.first_segment || !b.first_segment ||
          a.first_segment->value + a.segments == b.first_segment->value);
}

void join(Absence& gap, const Absence& next) {
  if (!gap.first_segment) gap.first_segment = next.first_segment;
  gap.segments += next.segments;
  gap.bytes += next.bytes;
  if (!gap.from) gap.from = next.from;
  if (next.to) gap.to = next.to;
}

}  // namespace

EpochRecorder::EpochRecorder(const RecordingOptions& options, const RecordingWorld& world, std::string stream,
                             EpochNumber epoch, PartitionId partition, std::optional<EpochProgress> done)
    : options_(options),
      world_(world),
      stream_(std::move(stream)),
      epoch_(epoch),
      partition_(partition),
      lane_(epoch, LaneOptions{options.patience}, done),
      resuming_(!done) {}

std::string EpochRecorder::folder() const {
  return (std::filesystem::path(options_.directory) / recording_folder(stream_)).string();
}

std::optional<Offset> EpochRecorder::oldest_offset() const {
  auto oldest = lane_.oldest_offset();
  if (file_) oldest = lower(oldest, file_->facts.first_offset);
  for (const auto& gap : gaps_) oldest = lower(oldest, gap.offset);
  return oldest;
}

// ---- what comes

Result<void> EpochRecorder::take(LaneSegment segment, SteadyTime now) {
  lane_.push(std::move(segment), now);
  return drain(now);
}

Result<void> EpochRecorder::lose(SegmentNumber number, std::optional<LaneSegment> beginning, LaneGap gap,
                                 SteadyTime now) {
  lane_.lose(number, std::move(beginning), std::move(gap), now);
  return drain(now);
}

Result<void> EpochRecorder::state(const record::Gap& gap, Offset offset, SteadyTime now) {
  lane_.state(gap, offset);
  return drain(now);
}

Result<void> EpochRecorder::end(SteadyTime now) {
  lane_.end();
  GOPLINE_TRY(drain(now));
  return finish(FileEnd::kEpochEnded);
}

Result<void> EpochRecorder::tick(Timestamp wall, SteadyTime now) {
  GOPLINE_TRY(drain(now));
  return is_over(wall, now) ? finish(FileEnd::kIdle) : Result<void>();
}

// Nothing has come for a while, and the interval is over: by the wall clock, or, where capture times have
// nothing to do with it, because so much time has passed.
bool EpochRecorder::is_over(Timestamp wall, SteadyTime now) const {
  if (!file_ && gaps_.empty()) return false;
  auto silent = now - newest_;
  if (silent < options_.patience) return false;
  if (!file_ || superseded_) return true;
  auto end = Timestamp((file_->interval + 1) * options_.split_every);
  return wall >= end + options_.patience || silent >= options_.split_every + options_.patience;
}

Result<void> EpochRecorder::drain(SteadyTime now) {
  while (auto item = lane_.pop(now)) {
    GOPLINE_TRY(std::visit([&](auto& one) { return put(std::move(one), now); }, *item));
  }
  return {};
}

// ---- gaps

void EpochRecorder::add_gap(LaneGap gap) {
  if (!gap.absence.from) gap.absence.from = reached_;
  if (!gaps_.empty() && is_one(gaps_.back().absence, gap.absence)) {
    join(gaps_.back().absence, gap.absence);
    gaps_.back().next = gap.next;
    gaps_.back().offset = lower(gaps_.back().offset, gap.offset);
  } else {
    gaps_.push_back(std::move(gap));
  }
}

Result<void> EpochRecorder::put(LaneGap gap, SteadyTime now) {
  newest_ = now;
  GOPLINE_TRY(finish_file(FileEnd::kGap));
  resuming_ = true;
  add_gap(std::move(gap));
  return {};
}

void EpochRecorder::skip(const LaneSegment& segment, std::string reason, AbsenceCause cause) {
  const auto& headers = segment.data.headers;
  LaneGap gap;
  gap.absence = {headers.epoch,
                 cause,
                 std::move(reason),
                 headers.segment,
                 1,
                 headers.time,
                 end_of(headers),
                 segment.data.bytes.size(),
                 {}};
  gap.next = {headers.segment.value + 1, gaps_.empty() ? 0 : gaps_.back().next.gap};
  gap.offset = segment.offset;
  add_gap(std::move(gap));
  reached_ = end_of(headers);
}

// ---- files

std::int64_t EpochRecorder::interval_of(Timestamp time) const {
  return floor_div({time.time_since_epoch().count(), 1}, {options_.split_every.count(), 1});
}

std::optional<FileEnd> EpochRecorder::end_before(const SegmentData& segment) const {
  if (!file_->file->fits(segment)) return FileEnd::kParameters;
  if (segment.headers.sap == 0) return std::nullopt;  // it goes on with what is in the file
  if (segment.headers.discontinuities != file_->discontinuities) return FileEnd::kDiscontinuity;
  if (interval_of(segment.headers.time) != file_->interval) return FileEnd::kInterval;
  return std::nullopt;
}

Result<void> EpochRecorder::put(LaneSegment segment, SteadyTime now) {
  newest_ = now;
  const auto& headers = segment.data.headers;
  bool decodable = headers.sap != 0 || headers.segment.value == 0 || !resuming_;
  if (!decodable) {
    skip(segment, "it cannot be decoded without what is missing before it", AbsenceCause::kLost);
    return {};
  }
  resuming_ = false;
  if (file_) {
    if (auto end = end_before(segment.data)) GOPLINE_TRY(finish_file(*end));
  }
  auto written = file_ ? Result<void>() : open(segment);
  if (written && !file_) return {};  // it was recorded before
  if (written) written = write(segment);
  if (written) return {};
  auto code = written.error().code;
  if (code != ErrorCode::kCorrupt && code != ErrorCode::kUnsupported) return written;
  // It will never be better, and what follows may be good.
  log_warning(stream_, "{}", written.error().message);
  if (file_ && file_->facts.next_segment == file_->facts.first_segment) file_.reset();
  GOPLINE_TRY(finish_file(FileEnd::kGap));
  skip(segment, written.error().message, AbsenceCause::kCorrupt);
  resuming_ = true;
  return {};
}

Result<void> EpochRecorder::open(const LaneSegment& segment) {
  const auto& headers = segment.data.headers;
  std::error_code failed;
  std::filesystem::create_directories(folder(), failed);
  if (failed) return fail_errno(failed.value(), folder() + ": cannot be made");
  auto stem = folder() + "/" + recording_name(headers.time, epoch_, headers.segment.value);
  GOPLINE_ASSIGN(bool there, is_there_already(segment, stem));
  if (there) return {};
  GOPLINE_ASSIGN(const auto* started, world_.find_epoch(epoch_));
  GOPLINE_ASSIGN(auto opened, open_recording_file(stem, options_.container, started, segment.data));
  file_.emplace();
  file_->file = std::move(opened.file);
  file_->interval = interval_of(headers.time);
  file_->discontinuities = headers.discontinuities;
  auto& facts = file_->facts;
  facts.stream = stream_;
  facts.file = std::filesystem::path(opened.path).filename().string();
  facts.container = opened.container;
  facts.epoch = epoch_;
  facts.partition = partition_;
  facts.first_segment = facts.next_segment = headers.segment.value;
  facts.from = facts.to = headers.time;
  facts.clock = headers.clock;
  facts.first_ordinal = headers.ordinal;
  facts.first_offset = segment.offset;
  facts.access_point = headers.sap != 0;
  return {};
}

// A recorder died between giving the file its name and telling that it is done.
Result<bool> EpochRecorder::is_there_already(const LaneSegment& segment, const std::string& stem) {
  std::ifstream in(stem + ".json");
  if (!in) return false;
  std::ostringstream text;
  text << in.rdbuf();
  auto known = parse_recording(text.str());
  const auto& headers = segment.data.headers;
  bool same = known && known->stream == stream_ && known->epoch == epoch_ &&
              known->first_segment == headers.segment.value && known->next_segment > known->first_segment;
  if (!same || known->file.empty() || !std::filesystem::exists(folder() + "/" + known->file)) return false;
  log_info(stream_, "{} is there already, up to segment {}", known->file, known->next_segment - 1);
  gaps_.clear();
  lane_.skip_to({known->next_segment, known->next_gap});
  known->partition = partition_;
  GOPLINE_TRY(world_.finished(*known, true));
  return true;
}

Result<void> EpochRecorder::write(const LaneSegment& segment) {
  const auto& headers = segment.data.headers;
  auto written = file_->file->write(segment.data);
  if (!written) {
    return fail_with_context(fmt::format("epoch {}, segment {}", headers.epoch, headers.segment),
                             written.error());
  }
  auto& facts = file_->facts;
  facts.next_segment = headers.segment.value + 1;
  facts.first_offset = lower(facts.first_offset, segment.offset);
  reached_ = end_of(headers);
  facts.to = std::max(facts.to, *reached_);
  world_.wrote(segment.data);
  return {};
}

void EpochRecorder::tell_gaps(Recording& facts) {
  for (auto& gap : gaps_) {
    facts.next_gap = std::max(facts.next_gap, gap.next.gap);
    facts.first_offset = lower(facts.first_offset, gap.offset);
    facts.gaps.push_back(std::move(gap.absence));
  }
  gaps_.clear();
}

Result<void> EpochRecorder::finish_file(FileEnd end) {
  if (!file_) return {};
  GOPLINE_TRY(world_.may_finish());
  GOPLINE_TRY(file_->file->finish());
  file_->facts.bytes = file_->file->bytes();
  file_->facts.end = end;
  auto facts = std::move(file_->facts);
  file_.reset();
  tell_gaps(facts);
  for (auto& gap : facts.gaps) {
    if (!gap.to) gap.to = facts.from;
  }
  return world_.finished(facts, false);
}

Result<void> EpochRecorder::write_gaps_alone() {
  if (gaps_.empty()) return {};
  GOPLINE_TRY(world_.may_finish());
  Recording facts;
  facts.stream = stream_;
  facts.epoch = epoch_;
  facts.partition = partition_;
  facts.from = gaps_.front().absence.from.value_or(reached_.value_or(Timestamp{}));
  facts.next_segment = gaps_.back().next.segment;
  facts.first_segment = facts.next_segment;
  tell_gaps(facts);
  return world_.finished(facts, false);
}

Result<void> EpochRecorder::finish(FileEnd end) {
  GOPLINE_TRY(finish_file(end));
  return write_gaps_alone();
}

}  // namespace gopline::aggregator
