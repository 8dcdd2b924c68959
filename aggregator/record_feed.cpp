#include "aggregator/record_feed.h"

#include <algorithm>

#include "common/base/logging.h"

namespace gopline::aggregator {
namespace {

record::AssemblerOptions assembler_options(Duration patience) {
  record::AssemblerOptions options;
  options.max_wait = patience;
  options.joins = true;
  options.tells_chunks = true;
  return options;
}

}  // namespace

RecordFeed::RecordFeed(Playout& playout, RecordFeedOptions options, StopToken stop)
    : playout_(playout),
      options_(std::move(options)),
      claims_(options_.blobs ? std::make_unique<reading::ClaimFetcher>(*options_.blobs, std::move(stop))
                             : nullptr),
      assembler_(assembler_options(options_.patience)) {}

RecordFeedStats RecordFeed::stats() const {
  auto stats = stats_;
  stats.duplicates = assembler_.stats().duplicates + assembler_.stats().conflicts;
  return stats;
}

const record::StartedEpoch* RecordFeed::epoch(EpochNumber number) const {
  auto found = epochs_.find(number);
  return found == epochs_.end() ? nullptr : &found->second;
}

void RecordFeed::know(record::StartedEpoch started) {
  epochs_.try_emplace(started.epoch, std::move(started));
}

void RecordFeed::forget_before(EpochNumber number) {
  epochs_.erase(epochs_.begin(), epochs_.lower_bound(number));
  next_segment_.erase(next_segment_.begin(), next_segment_.lower_bound(number));
  open_.erase(open_.begin(), open_.lower_bound({number, SegmentNumber(0)}));
}

Result<void> RecordFeed::take(StoredRecord stored, SteadyTime now) {
  if (stored.key != options_.stream) return {};
  leave_shared_block(stored);
  auto value = stored.value.value_or(Buffer());
  stats_.payload_bytes += value.size();
  record::IncomingRecord incoming{.offset = stored.offset,
                                  .timestamp = stored.timestamp,
                                  .key = stored.key,
                                  .headers = &stored.headers,
                                  .value = std::move(value),
                                  .damage = {},
                                  .pinned_bytes = stored.pinned_bytes};
  if (stored.damage) incoming.damage = stored.damage->message;
  return pass_on(assembler_.add(incoming, now), now);
}

Result<void> RecordFeed::expire(SteadyTime now) {
  return pass_on(assembler_.expire(now), now);
}

Result<void> RecordFeed::pass_on(std::vector<record::AssemblerEvent> events, SteadyTime now) {
  for (auto& event : events) {
    GOPLINE_TRY(std::visit([&](auto& one) { return take(std::move(one), now); }, event));
  }
  return {};
}

Result<bool> RecordFeed::is_known(EpochNumber number) {
  if (epochs_.contains(number)) return true;
  if (!options_.find_epoch) return false;
  GOPLINE_ASSIGN(auto found, options_.find_epoch(number));
  if (found) know(std::move(*found));
  return epochs_.contains(number);
}

void RecordFeed::saw(const record::SegmentHeaders& headers) {
  auto& next = next_segment_[headers.epoch];
  next = std::max(next, headers.segment.value + 1);
}

void RecordFeed::lose(const record::SegmentHeaders& headers, AbsenceCause cause, std::int64_t from_part) {
  auto number = headers.segment.value;
  playout_.lose({headers.epoch, number, from_part}, {headers.epoch, number + 1, 0}, cause);
}

// A chunk of a segment that is still being written.
Result<void> RecordFeed::take(record::OpenChunk chunk, SteadyTime now) {
  if (chunk.late) return {};  // of that, its segment tells
  const auto& headers = chunk.headers;
  saw(headers);
  auto open = open_.find({headers.epoch, headers.segment});
  if (open == open_.end()) {
    GOPLINE_ASSIGN(bool known, is_known(headers.epoch));
    if (!known) return {};
    PartCutter cutter(headers, epoch(headers.epoch)->marker.tracks);
    open = open_.emplace(std::pair(headers.epoch, headers.segment), std::move(cutter)).first;
  }
  if (auto part = open->second.add(chunk)) push(std::move(*part), now);
  return {};
}

void RecordFeed::push(Piece piece, SteadyTime now) {
  ++stats_.pieces;
  playout_.push(std::move(piece), now);
}

std::optional<PartCutter> RecordFeed::close(const record::SegmentHeaders& headers) {
  auto open = open_.find({headers.epoch, headers.segment});
  if (open == open_.end()) return std::nullopt;
  auto cutter = std::move(open->second);
  open_.erase(open);
  return cutter;
}

Result<void> RecordFeed::take(record::AssembledSegment segment, SteadyTime now) {
  auto cutter = close(segment.headers);
  if (segment.late) {
    ++stats_.late;
    return {};
  }
  saw(segment.headers);
  GOPLINE_ASSIGN(bool known, is_known(segment.headers.epoch));
  if (!known) {
    lose(segment.headers, AbsenceCause::kExpired);  // nobody knows its tracks
    return {};
  }
  if (cutter && segment.datarefs.empty()) {
    ++stats_.segments;
    push(cutter->finish(std::move(segment)), now);
    return {};
  }
  SegmentData data{std::move(segment.headers), std::move(segment.bytes), segment.pinned_bytes};
  if (!segment.datarefs.empty()) {
    if (!claims_) {
      lose(data.headers, AbsenceCause::kElsewhere);
      return {};
    }
    auto bytes = claims_->fetch(segment.datarefs);
    if (!bytes) {
      auto code = bytes.error().code;
      if (code != ErrorCode::kNotFound && code != ErrorCode::kCorrupt)
        return tl::unexpected<Error>(std::move(bytes.error()));
      lose(data.headers, code == ErrorCode::kNotFound ? AbsenceCause::kMissingBlob : AbsenceCause::kCorrupt);
      return {};
    }
    data.bytes = std::move(*bytes);
    data.pinned_bytes = data.bytes.size();
    stats_.blob_bytes += data.bytes.size();
  }
  ++stats_.segments;
  push(piece_of(std::move(data)), now);
  return {};
}

Result<void> RecordFeed::take(const record::LostSegment& lost, SteadyTime now) {
  auto cutter = close(lost.headers);
  // What a newer epoch has just given up counts as late to the assembler, but is missing where it was.
  if (lost.headers.late) {
    ++stats_.late;
    return {};
  }
  saw(lost.headers);
  if (cutter) {
    if (auto rest = cutter->give_up()) push(std::move(*rest), now);
  }
  lose(lost.headers, absence_cause_from(lost.cause), cutter ? cutter->parts() : 0);
  return {};
}

Result<void> RecordFeed::take(record::StartedEpoch started, SteadyTime) {
  if (started.marker.late) return {};
  auto number = started.epoch;
  know(std::move(started));
  next_segment_.try_emplace(number, 0);
  playout_.begin_epoch(number);
  return {};
}

Result<void> RecordFeed::take(const record::EndedEpoch& ended, SteadyTime) {
  if (!ended.marker.late) playout_.end_epoch(ended.marker.epoch, ended.marker.segments);
  return {};
}

// It stands before the segment that the writer writes next.
Result<void> RecordFeed::take(const record::WrittenGap& gap, SteadyTime) {
  auto next = next_segment_.find(gap.marker.epoch);
  if (gap.marker.late || next == next_segment_.end()) return {};  // before anything that is played
  const auto& facts = gap.marker.facts;
  playout_.note_unwritten(gap.marker.epoch, next->second,
                          {absence_cause_from(facts.cause), facts.from, facts.to, facts.bytes});
  return {};
}

Result<void> RecordFeed::take(const record::BadRecord& bad, SteadyTime) {
  ++stats_.foreign_records;
  log_warning(options_.stream, "the record at offset {} cannot be used: {}", bad.offset, bad.error.message);
  return {};
}

}  // namespace gopline::aggregator
