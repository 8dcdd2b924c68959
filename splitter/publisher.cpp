#include "splitter/publisher.h"

#include <algorithm>

#include "common/base/bus_errors.h"
#include "common/base/text.h"
#include "common/bytes/digest.h"
#include "common/payload/blob_key.h"
#include "common/record/segment_headers.h"
#include "common/record/stream_id.h"
#include "splitter/claim_queue.h"
#include "splitter/epoch_opener.h"
#include "splitter/index_keeper.h"
#include "splitter/record_append.h"

namespace gopline::splitter {
namespace {

class LogPublisher final : public Publisher {
 public:
  LogPublisher(Log& log, const Clock& clock, PublisherOptions options, std::unique_ptr<LogWriter> writer,
               OpenEpoch epoch)
      : clock_(clock),
        options_(std::move(options)),
        writer_(std::move(writer)),
        pool_(options_.max_pending_bytes),
        epoch_(std::move(epoch)),
        keeper_(log, *writer_, clock, record::topics_of(options_.topic_namespace), epoch_,
                options_.on_acknowledged) {
    first_ordinal_ = epoch_.ordinal ? epoch_.ordinal->next() : Ordinal(0);
    ordinal_ = first_ordinal_;
    discontinuities_ = epoch_.discontinuities;
    max_record_bytes_ = epoch_.max_record_bytes;
    if (options_.max_record_bytes > 0)
      max_record_bytes_ = std::min<std::uint64_t>(max_record_bytes_, options_.max_record_bytes);
    comfortable_bytes_ = log.comfortable_value_bytes();
    if (options_.blobs) {
      claims_.emplace(*writer_, *options_.blobs, ClaimQueue::Options{.stop = options_.stop});
    }
  }

  Result<void> publish(const media::BuiltSegment& segment, Timestamp capture_time, StopToken stop) override {
    GOPLINE_TRY(usable());
    if (segment.part > 0) return publish_rest(segment, stop);
    leave_unfinished();
    bool first_ever = ordinal_ == Ordinal(0);
    bool breaks = segment_ == SegmentNumber(0) || segment.discontinuity || gap_;
    OpenSegment open{headers_of(segment, capture_time), {}, nullptr, std::nullopt, 0};
    auto& headers = open.headers;
    headers.discontinuities = discontinuities_ + (breaks && !first_ever ? 1 : 0);
    if (options_.sha256) {
      if (!previous_sha256_.empty()) headers.previous_sha256 = previous_sha256_;
      if (segment.last_part) {
        headers.sha256 = sha256_hex(segment.bytes);
      } else {
        open.digest.emplace();
      }
    }
    open.entry = entry_of(segment, headers);
    GOPLINE_ASSIGN(auto choice, choose_strategy(segment, headers));
    if (choice.strategy == payload::Strategy::kClaim) {
      GOPLINE_TRY(append_claim(segment, open, stop));
    } else {
      GOPLINE_TRY(append_chunks(segment, open, static_cast<std::size_t>(choice.chunk_bytes), stop));
    }
    discontinuities_ = headers.discontinuities;
    segment_ = segment_.next();
    ordinal_ = ordinal_.next();
    gap_.reset();
    if (segment.last_part) {
      count(choice, segment.bytes.size());
      previous_sha256_ = headers.sha256.value_or("");
    } else {
      open_ = std::move(open);
    }
    return {};
  }

  void use_clock(CaptureClock clock) override { options_.clock = clock; }
  std::optional<Timestamp> previous_end() const override { return epoch_.state.last_time; }

  Result<void> gap(GapCause cause, Timestamp from, Timestamp to, std::uint64_t bytes) override {
    GOPLINE_TRY(usable());
    leave_unfinished();
    record::GapFacts facts{cause, from, to, bytes};
    GOPLINE_TRY(append_gap(facts));
    gap_ = record::joined(gap_, facts);
    return {};
  }

  Result<EpochSummary> close(EndCause cause) override {
    closed_ = true;
    if (claims_) {
      if (auto drained = claims_->drain(); !drained) keeper_.fail_with(drained.error());
    }
    if (auto flushed = writer_->flush(); !flushed) keeper_.fail_with(flushed.error());
    keeper_.finish();
    // Even after a failure: whatever can still be written tells readers not to wait, and what is lost.
    for (const auto& lost : keeper_.unacknowledged()) {
      if (auto told = append_gap(lost); !told) keeper_.fail_with(told.error());
    }
    auto done = keeper_.acknowledged();
    record::EpochEnded marker{options_.stream, epoch_.started.writer, epoch_.number, clock_.now(),
                              cause,           done.segments,         done.bytes,    keeper_.is_late()};
    auto ended = append_and_wait(*writer_, epoch_.segments, record::encode(marker), clock_);
    if (!ended) keeper_.fail_with(ended.error());
    bool away = !ended && (ended.error().code == ErrorCode::kUnavailable ||
                           ended.error().code == ErrorCode::kCancelled);  // it would be waited for once more
    if (!away) {
      auto stated = keeper_.write_state(ended ? std::optional(cause) : std::nullopt);
      if (!stated) keeper_.fail_with(stated.error());
    }
    if (auto error = keeper_.error()) return fail_with_context(options_.stream, std::move(*error));
    return summary();
  }

  EpochSummary summary() const override {
    auto done = keeper_.acknowledged();
    return {epoch_.number, first_ordinal_, done.segments, done.bytes, keeper_.is_late(), uses_};
  }

 private:
  // A segment of which chunks were handed over.
  struct OpenSegment {
    record::SegmentHeaders headers;  // of the next chunk
    record::IndexEntry entry;        // of what has come so far
    IndexKeeper::Flight flight;
    std::optional<Sha256> digest;  // of a segment that comes in parts, where it is asked for
    int parts = 0;
  };

  Result<void> usable() const {
    if (closed_) return fail(ErrorCode::kInvalidArgument, "{}: the epoch is closed", options_.stream);
    if (auto error = keeper_.error()) return fail_with_context(options_.stream, std::move(*error));
    return {};
  }

  Result<void> append_gap(const record::GapFacts& facts) {
    record::Gap marker{options_.stream, epoch_.started.writer, epoch_.number, gap_number_, clock_.now(),
                       facts,           keeper_.is_late()};
    GOPLINE_TRY(append(new_record(record::encode(marker), clock_), keeper_.expect_marker(), {}));
    ++gap_number_;
    return {};
  }

  // Behind the claim checks that are on their way.
  Result<void> append(NewRecord record, DeliveryCallback on_delivery, const StopToken& stop) {
    if (claims_) return claims_->append(epoch_.segments, std::move(record), std::move(on_delivery), stop);
    return writer_->append(epoch_.segments, std::move(record), std::move(on_delivery), stop);
  }

  Result<payload::Choice> choose_strategy(const media::BuiltSegment& segment,
                                          const record::SegmentHeaders& headers) const {
    payload::Limits limits;
    GOPLINE_ASSIGN(limits.record_bytes, chunk_size(headers));
    limits.inline_bytes = comfortable_bytes_;
    // Parts are to be read before their segment is whole, which only chunks allow.
    bool in_parts = options_.parts_per_chunk > 0 || segment.part > 0 || !segment.last_part;
    limits.has_store = options_.blobs != nullptr && !in_parts;
    if (in_parts && options_.payload.strategy == payload::Strategy::kClaim) {
      return fail(ErrorCode::kInvalidArgument, "{}: a payload that lies elsewhere does not leave in parts",
                  options_.stream);
    }
    auto choice = payload::choose(segment.bytes.size(), limits, options_.payload);
    if (!choice) return fail_with_context(options_.stream, std::move(choice.error()));
    return choice;
  }

  void count(const payload::Choice& choice, std::uint64_t bytes) {
    auto& use = uses_[choice.strategy];
    use.smallest = use.payloads == 0 ? bytes : std::min(use.smallest, bytes);
    use.largest = std::max(use.largest, bytes);
    ++use.payloads;
    use.bytes += bytes;
    use.reason = choice.reason;
  }

  record::SegmentHeaders headers_of(const media::BuiltSegment& segment, Timestamp capture_time) const {
    record::SegmentHeaders h;
    h.stream = options_.stream;
    h.writer = epoch_.started.writer;
    h.epoch = epoch_.number;
    h.segment = segment_;
    h.ordinal = ordinal_;
    h.time = capture_time;
    h.clock = options_.clock;
    h.start = {segment.start, segment.timescale};
    h.sap = segment.sap;
    h.late = keeper_.is_late();
    h.content_type = segment.content_type;
    return h;
  }

  // How many bytes of a segment fit into one record beside these headers, all of them set.
  Result<std::size_t> chunk_size(record::SegmentHeaders h) const {
    h.chunk = 999'999;
    h.last_chunk = true;
    h.duration = Rational{INT64_MAX, INT64_MAX};
    h.size = INT64_MAX;
    h.xxh3 = std::string(16, '0');
    auto overhead = record_overhead(options_.stream, record::encode(h));
    if (overhead >= max_record_bytes_) {
      return fail(ErrorCode::kTooLarge,
                  "{}: a record's headers take {} bytes and {} takes records of at most {} bytes",
                  options_.stream, overhead, epoch_.segments.topic, max_record_bytes_);
    }
    return static_cast<std::size_t>(max_record_bytes_) - overhead;
  }

  // Where the segment's chunks end: after every so many whole fragments where that is asked for, and wherever
  // a record is full.
  std::vector<std::size_t> chunk_ends(const media::BuiltSegment& segment, std::size_t chunk_bytes) const {
    std::vector<std::size_t> wanted, ends;
    auto step = options_.parts_per_chunk;
    for (std::size_t i = step; step > 0 && i < segment.parts.size(); i += step)
      wanted.push_back(segment.parts[i].offset);
    wanted.push_back(segment.bytes.size());
    std::size_t begin = 0;
    for (auto end : wanted) {
      for (; end - begin > chunk_bytes; begin += chunk_bytes) ends.push_back(begin + chunk_bytes);
      ends.push_back(end);
      begin = end;
    }
    return ends;
  }

  // The next part of the open segment.
  Result<void> publish_rest(const media::BuiltSegment& segment, const StopToken& stop) {
    if (!open_ || segment.part != open_->parts) {
      return fail(ErrorCode::kInvalidArgument, "{}: part {} of a segment that is not open", options_.stream,
                  segment.part);
    }
    auto& open = *open_;
    GOPLINE_ASSIGN(auto choice, choose_strategy(segment, open.headers));
    add(segment, open.entry);
    GOPLINE_TRY(append_chunks(segment, open, static_cast<std::size_t>(choice.chunk_bytes), stop));
    if (!segment.last_part) return {};
    count({payload::Strategy::kChunk, choice.chunk_bytes, "its parts leave before it is whole"},
          open.entry.size);
    previous_sha256_ = open.headers.sha256.value_or("");
    open_.reset();
    return {};
  }

  // Its number is used up; what is missing of it, a gap says, or whoever reads that nothing more of it comes.
  void leave_unfinished() {
    if (!open_) return;
    keeper_.forget(open_->flight);
    open_.reset();
  }

  // Chunks of a segment, or of a part of it. Only the last says what is known of the whole.
  Result<void> append_chunks(const media::BuiltSegment& segment, OpenSegment& open, std::size_t chunk_bytes,
                             const StopToken& stop) {
    auto ends = chunk_ends(segment, chunk_bytes);
    auto chunks = ends.size();
    MappedReads reads;
    auto callbacks = keeper_.expect(open.flight, open.entry, chunks, segment.last_part);
    if (open.digest) {
      for (const auto& buffer : segment.bytes.buffers()) open.digest->update(buffer.bytes());
      if (segment.last_part) open.headers.sha256 = open.digest->finish_hex();
    }
    auto h = open.headers;
    h.sha256.reset();
    h.previous_sha256.reset();
    for (std::size_t i = 0; i < chunks; ++i, ++h.chunk) {
      auto begin = i == 0 ? 0 : ends[i - 1];
      auto bytes = chunks == 1 ? segment.bytes : segment.bytes.share(begin, ends[i] - begin);
      if (writer_->joins_buffers()) {
        auto joined = copy_and_xxh3(bytes, pool_);
        bytes = BufferChain(std::move(joined.bytes));
        h.xxh3 = std::move(joined.xxh3);
      } else {
        h.xxh3 = xxh3_hex(bytes);
      }
      if (auto whole = reads.were_whole(); !whole)
        return not_appended(open.flight, h.chunk == 0, std::move(whole.error()));
      if (segment.last_part && i + 1 == chunks) {
        h.last_chunk = true;
        h.duration = open.entry.duration;
        h.size = open.entry.size;
        h.sha256 = open.headers.sha256;
        h.previous_sha256 = open.headers.previous_sha256;
      }
      NewRecord stored{options_.stream, std::move(bytes), record::encode(h), clock_.now(), h.xxh3};
      auto appended = append(std::move(stored), std::move(callbacks[i]), stop);
      if (!appended) return not_appended(open.flight, h.chunk == 0, std::move(appended.error()));
    }
    open.headers.chunk = h.chunk;
    ++open.parts;
    return {};
  }

  // The payload goes to the store, and behind it a record that says where it is.
  Result<void> append_claim(const media::BuiltSegment& segment, OpenSegment& open, const StopToken& stop) {
    auto& h = open.headers;
    MappedReads reads;
    payload::BlobKey key{options_.topic_namespace, options_.stream, format_hour(h.time),
                         h.sha256.value_or("")};
    if (key.sha256.empty()) key.sha256 = sha256_hex(segment.bytes);
    ClaimedPayload payload{payload::to_text(key), segment.bytes};
    h.dataref =
        record::DataRef{options_.blobs->uri_of(payload.key), segment.bytes.size(), xxh3_hex(segment.bytes)};
    if (auto whole = reads.were_whole(); !whole)
      return not_appended(open.flight, true, std::move(whole.error()));
    h.chunk = 0;
    h.last_chunk = true;
    h.duration = Rational{segment.duration, segment.timescale};
    h.size = segment.bytes.size();
    h.xxh3 = xxh3_hex(BufferChain());
    open.entry.dataref = h.dataref->uri;
    auto callbacks = keeper_.expect(open.flight, open.entry, 1, true);
    NewRecord stored{options_.stream, BufferChain(), record::encode(h), clock_.now(), h.xxh3};
    auto appended = claims_->append(epoch_.segments, std::move(payload), std::move(stored),
                                    std::move(callbacks.front()), stop);
    if (!appended) return not_appended(open.flight, true, std::move(appended.error()));
    return {};
  }

  // Once a part of a segment is on its way, nothing may follow it but the rest.
  Result<void> not_appended(const IndexKeeper::Flight& flight, bool is_first, Error error) {
    if (is_first && error.code == ErrorCode::kCancelled) {
      keeper_.forget(flight);
    } else {
      keeper_.fail_with(error);
    }
    return fail_with_context(options_.stream, std::move(error));
  }

  record::IndexEntry entry_of(const media::BuiltSegment& segment, const record::SegmentHeaders& h) const {
    record::IndexEntry entry;
    entry.stream = h.stream;
    entry.writer = h.writer;
    entry.epoch = h.epoch;
    entry.epoch_offset = epoch_.offset;
    entry.segment = h.segment;
    entry.ordinal = h.ordinal;
    entry.discontinuities = h.discontinuities;
    entry.late = h.late;
    entry.partition = epoch_.segments.partition;
    entry.time = h.time;
    entry.clock = h.clock;
    entry.start = h.start;
    entry.duration = {0, segment.timescale};
    entry.sap = segment.sap;
    entry.init_xxh3 = segment.init_xxh3;
    entry.gap = gap_;
    add(segment, entry);
    return entry;
  }

  // What comes to a segment's entry with it, or with the next part of it.
  void add(const media::BuiltSegment& segment, record::IndexEntry& entry) const {
    for (const auto& part : segment.parts) {
      entry.parts.push_back(
          {part.track_id, entry.size + part.offset, part.size, part_duration(part), part.sap});
    }
    entry.duration.num += segment.duration;
    entry.size += segment.bytes.size();
  }

  // A part's duration in its own track's timescale, which is the denominator of the track's time base.
  Rational part_duration(const media::PartInfo& part) const {
    for (const auto& track : options_.tracks) {
      if (track.id == part.track_id) return {part.duration, track.time_base.den};
    }
    return {part.duration, 1};
  }

  const Clock& clock_;
  PublisherOptions options_;
  std::unique_ptr<LogWriter> writer_;
  BufferPool pool_;
  OpenEpoch epoch_;
  IndexKeeper keeper_;                // before the writer goes, its thread has ended
  std::optional<ClaimQueue> claims_;  // where there is a store; ends before the keeper and the writer
  std::uint64_t max_record_bytes_ = 0;
  std::uint64_t comfortable_bytes_ = 0;
  StrategyUses uses_;

  SegmentNumber segment_;
  Ordinal ordinal_, first_ordinal_;
  std::int64_t discontinuities_ = 0;
  std::int64_t gap_number_ = 0;
  std::optional<record::GapFacts> gap_;  // since the newest segment
  std::string previous_sha256_;
  std::optional<OpenSegment> open_;  // whose last part has not come yet
  bool closed_ = false;
};

}  // namespace

Result<std::unique_ptr<Publisher>> Publisher::open(Log& log, const Clock& clock, PublisherOptions options) {
  GOPLINE_TRY(record::check_stream_id(options.stream));
  LogWriterOptions writer_options;
  writer_options.max_pending_bytes = options.max_pending_bytes;
  writer_options.stop = options.stop;
  writer_options.compress = options.compress;
  GOPLINE_ASSIGN(auto writer, log.make_writer(writer_options));
  auto epoch = open_epoch(log, *writer, clock, options);
  if (!epoch) return fail_with_context(options.stream, std::move(epoch.error()));
  return std::make_unique<LogPublisher>(log, clock, std::move(options), std::move(writer), std::move(*epoch));
}

}  // namespace gopline::splitter
