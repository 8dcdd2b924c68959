#include "aggregator/stream_reader.h"

#include <algorithm>

namespace gopline::aggregator {
namespace {

// No more than this is looked ahead for records that lie together.
constexpr std::uint64_t kEnoughAhead = 64 << 20;

// Claim checks beyond the one in hand that are announced to the store.
constexpr std::size_t kClaimsAhead = 16;

}  // namespace

StreamReader::StreamReader(Log& log, ReadPlan plan, StopToken stop, payload::BlobSource* blobs)
    : plan_(std::move(plan)),
      stop_(std::move(stop)),
      claims_(blobs ? std::make_unique<reading::ClaimFetcher>(*blobs, stop_) : nullptr),
      fetcher_(log, plan_.where, stop_) {
  stats_.duplicates = plan_.duplicates;
  stats_.foreign_records = plan_.foreign_records;
}

Result<std::unique_ptr<StreamReader>> StreamReader::open(Log& log, const Selection& selection, StopToken stop,
                                                         payload::BlobSource* blobs) {
  GOPLINE_ASSIGN(auto plan, make_plan(log, selection, stop));
  return std::unique_ptr<StreamReader>(new StreamReader(log, std::move(plan), std::move(stop), blobs));
}

StreamReaderStats StreamReader::stats() const {
  auto stats = stats_;
  stats.payload_bytes = fetcher_.payload_bytes();
  stats.duplicates += assembler_.stats().duplicates + assembler_.stats().conflicts;
  return stats;
}

Result<std::optional<StreamItem>> StreamReader::next() {
  while (ready_.empty() && epoch_ < plan_.epochs.size()) GOPLINE_TRY(advance());
  if (ready_.empty()) return std::nullopt;
  std::optional<StreamItem> item(std::move(ready_.front()));
  ready_.pop_front();
  return item;
}

Result<void> StreamReader::advance() {
  if (!epoch_open_) {
    begin_epoch();
    return {};
  }
  const auto& epoch = plan_.epochs[epoch_];
  if (segment_ == epoch.segments.end()) {
    end_epoch();
    return {};
  }
  const auto& [number, segment] = *segment_;
  for (const auto& gap : segment.gaps_before) never_written(gap);
  announce_missing(expected_, number, segment.time);
  reached_ = segment.time;
  GOPLINE_TRY(read_segment(number, segment));
  expected_ = number + 1;
  reached_ = std::max(*reached_, segment.end);
  ++segment_;
  return {};
}

Absence StreamReader::absence_of(AbsenceCause cause, std::string reason) const {
  Absence absence;
  absence.epoch = plan_.epochs[epoch_].number;
  absence.cause = cause;
  absence.reason = std::move(reason);
  return absence;
}

void StreamReader::begin_epoch() {
  const auto& epoch = plan_.epochs[epoch_];
  segment_ = announced_ = epoch.segments.begin();
  reached_.reset();
  if (!epoch.started) {
    auto absence = absence_of(AbsenceCause::kExpired,
                              "the epoch's opening record is not kept any more, so nobody knows its tracks");
    absence.segments = static_cast<std::int64_t>(epoch.segments.size());
    if (segment_ != epoch.segments.end()) {
      absence.first_segment = SegmentNumber(segment_->first);
      absence.from = segment_->second.time;
      absence.to = epoch.segments.rbegin()->second.end;
    }
    ready_.push_back(std::move(absence));
    ++epoch_;
    return;
  }
  epoch_open_ = true;
  expected_ = epoch.from_its_start || segment_ == epoch.segments.end() ? 0 : segment_->first;
  ready_.push_back(EpochBegin{*epoch.started, epoch.ended, epoch.from_its_start});
}

void StreamReader::end_epoch() {
  const auto& epoch = plan_.epochs[epoch_];
  for (const auto& gap : epoch.gaps_at_end) never_written(gap);
  if (epoch.to_its_end && epoch.ended) announce_missing(expected_, epoch.ended->segments, std::nullopt);
  epoch_open_ = false;
  ++epoch_;
}

// Segments have numbers without holes, so a hole is footage that was there. What lay before everything that
// is kept has expired; else nobody knows.
void StreamReader::announce_missing(std::int64_t from, std::int64_t to, std::optional<Timestamp> until) {
  if (from >= to) return;
  const auto& epoch = plan_.epochs[epoch_];
  bool expired = from == 0 && epoch.started->offset < plan_.kept.begin;
  auto absence = expired ? absence_of(AbsenceCause::kExpired, "retention has taken it")
                         : absence_of(AbsenceCause::kLost, "no record of it is in the log");
  absence.first_segment = SegmentNumber(from);
  absence.segments = to - from;
  absence.from = reached_;
  absence.to = until;
  ready_.push_back(std::move(absence));
}

void StreamReader::never_written(const record::GapFacts& facts) {
  auto absence = absence_of(absence_cause_from(facts.cause), "the writer says so");
  absence.from = facts.from;
  absence.to = facts.to;
  absence.bytes = facts.bytes;
  ready_.push_back(std::move(absence));
}

void StreamReader::absent(AbsenceCause cause, std::string reason, std::int64_t number,
                          const PlannedSegment& segment) {
  auto absence = absence_of(cause, std::move(reason));
  absence.first_segment = SegmentNumber(number);
  absence.segments = 1;
  absence.from = segment.time;
  if (segment.end > segment.time) absence.to = segment.end;
  absence.bytes = segment.bytes;
  ready_.push_back(std::move(absence));
}

// Bytes from the segment in hand on that lie together in the partition.
std::uint64_t StreamReader::wanted_ahead() const {
  std::uint64_t bytes = 0;
  std::optional<Offset> last;
  const auto& segments = plan_.epochs[epoch_].segments;
  for (auto it = segment_; it != segments.end() && bytes < kEnoughAhead; ++it) {
    for (auto [chunk, offset] : it->second.chunks) {
      if (last && offset != last->next()) return bytes;
      last = offset;
    }
    bytes += it->second.bytes;
  }
  return bytes;
}

// Payloads that lie elsewhere are fetched while those before them are read.
void StreamReader::announce_claims() {
  if (!claims_) return;
  const auto& segments = plan_.epochs[epoch_].segments;
  for (; announced_ != segments.end() && claims_->announced() < kClaimsAhead; ++announced_) {
    const auto& [number, segment] = *announced_;
    if (!segment.dataref.empty() && number >= segment_->first)
      claims_->announce(segment.dataref, segment.bytes);
  }
}

Result<void> StreamReader::read_segment(std::int64_t number, const PlannedSegment& segment) {
  announce_claims();
  damage_.clear();
  bool settled = false;
  bool expired = false;
  const auto& stream = plan_.epochs[epoch_].started->marker.stream;
  for (auto it = segment.chunks.begin(); it != segment.chunks.end() && !settled; ++it) {
    GOPLINE_ASSIGN(auto stored,
                   fetcher_.fetch(it->second, it == segment.chunks.begin() ? wanted_ahead() : 0));
    if (!stored) {
      expired |= it->second < plan_.kept.begin;
      continue;
    }
    record::IncomingRecord incoming{.offset = stored->offset,
                                    .timestamp = stored->timestamp,
                                    .key = stored->key,
                                    .headers = &stored->headers,
                                    .value = stored->value.value_or(Buffer()),
                                    .damage = {},
                                    .pinned_bytes = stored->pinned_bytes};
    if (stored->damage) incoming.damage = stored->damage->message;
    for (auto& event : assembler_.add(incoming, SteadyTime{}))
      settled |= take(std::move(event), number, segment);
  }
  expired |= !settled && !segment.chunks.contains(0) && begins_what_is_kept();
  if (claimed_) return redeem(*std::exchange(claimed_, std::nullopt), number, segment);
  if (settled) return {};
  if (expired) {
    assembler_.give_up(stream);
    absent(AbsenceCause::kExpired, "retention has taken it", number, segment);
    return {};
  }
  for (auto& event : assembler_.give_up(stream)) settled |= take(std::move(event), number, segment);
  if (settled) return {};
  if (!damage_.empty()) {
    absent(AbsenceCause::kCorrupt, damage_, number, segment);
  } else {
    absent(AbsenceCause::kLost, "its records are not in the log any more", number, segment);
  }
  return {};
}

// Takes a payload out of the store. One that is gone or altered is an absence that names it; a store that
// cannot be read now is an error, because the payload may well be there.
Result<void> StreamReader::redeem(record::AssembledSegment claimed, std::int64_t number,
                                  const PlannedSegment& segment) {
  const auto& uri = claimed.datarefs.front().uri;
  if (!claims_) {
    absent(AbsenceCause::kElsewhere, "its payload lies at " + uri, number, segment);
    std::get<Absence>(ready_.back()).uri = uri;
    return {};
  }
  auto bytes = claims_->fetch(claimed.datarefs);
  if (bytes) {
    ++stats_.segments;
    stats_.blob_bytes += bytes->size();
    auto pinned = bytes->size();
    ready_.push_back(SegmentData{std::move(claimed.headers), std::move(*bytes), pinned});
    return {};
  }
  auto code = bytes.error().code;
  if (code != ErrorCode::kNotFound && code != ErrorCode::kCorrupt) {
    return tl::unexpected<Error>(std::move(bytes.error()));
  }
  absent(code == ErrorCode::kNotFound ? AbsenceCause::kMissingBlob : AbsenceCause::kCorrupt,
         std::move(bytes.error().message), number, segment);
  std::get<Absence>(ready_.back()).uri = uri;
  return {};
}

void StreamReader::take_lost(record::LostSegment lost, std::int64_t number, const PlannedSegment& segment) {
  bool damaged = lost.cause == record::GapCause::kLost && !damage_.empty();
  auto cause = damaged ? AbsenceCause::kCorrupt : absence_cause_from(lost.cause);
  auto beginning = give_beginning(lost);
  bool is_all_there_is = !damaged && !lost.has_hole && lost.prefix_chunks == segment.chunks.size();
  if (is_all_there_is && is_being_written(segment)) return;
  auto given = beginning ? beginning->size : 0;
  absent(cause, damaged ? damage_ : lost.reason, number, segment);
  if (!beginning) return;
  auto& rest = std::get<Absence>(ready_.back());
  rest.from = reached_;
  if (rest.to && *rest.to <= *rest.from) rest.to.reset();
  rest.reason = fmt::format("{}; what came whole before that is there", rest.reason);
  rest.bytes -= std::min<std::uint64_t>(rest.bytes, given);
}

// What can be played of a segment whose rest is not there.
std::optional<media::PlayablePrefix> StreamReader::give_beginning(record::LostSegment& lost) {
  auto bytes = lost.prefix.flatten();
  const auto& tracks = plan_.epochs[epoch_].started->marker.tracks;
  auto playable = media::playable_prefix(bytes, lost.headers.content_type, tracks);
  if (!playable) return std::nullopt;
  ++stats_.beginnings;
  reached_ =
      lost.headers.time + Duration(rescale(playable->duration, {1, playable->timescale}, {1, 1'000'000}));
  SegmentData data{std::move(lost.headers), BufferChain(bytes.share(0, playable->size)), bytes.size(), false};
  ready_.push_back(std::move(data));
  return playable;
}

// Retention may have taken the first chunks of the segment with which what is kept of an epoch begins.
bool StreamReader::begins_what_is_kept() const {
  const auto& epoch = plan_.epochs[epoch_];
  return segment_ == epoch.segments.begin() && epoch.started->offset < plan_.kept.begin;
}

// The newest of an epoch that nothing says has ended: a writer is at work on it, or died.
bool StreamReader::is_being_written(const PlannedSegment& segment) const {
  const auto& epoch = plan_.epochs[epoch_];
  bool is_newest = std::next(segment_) == epoch.segments.end() && epoch.gaps_at_end.empty();
  return epoch.may_go_on && is_newest && segment.unfinished;
}

// True when the segment's fate is known.
bool StreamReader::take(record::AssemblerEvent event, std::int64_t number, const PlannedSegment& segment) {
  if (auto* whole = std::get_if<record::AssembledSegment>(&event)) {
    if (whole->headers.segment.value != number || whole->headers.epoch != plan_.epochs[epoch_].number)
      return false;
    if (whole->late) ++stats_.late;
    if (!whole->datarefs.empty()) {
      claimed_ = std::move(*whole);
      return true;
    }
    ++stats_.segments;
    ready_.push_back(SegmentData{std::move(whole->headers), std::move(whole->bytes), whole->pinned_bytes});
    return true;
  }
  if (auto* lost = std::get_if<record::LostSegment>(&event)) {
    if (lost->headers.segment.value != number || lost->headers.epoch != plan_.epochs[epoch_].number)
      return false;
    take_lost(std::move(*lost), number, segment);
    return true;
  }
  if (auto* bad = std::get_if<record::BadRecord>(&event)) {
    ++stats_.foreign_records;
    damage_ = fmt::format("the record at offset {}: {}", bad->offset, bad->error.message);
  }
  return false;
}

}  // namespace gopline::aggregator
