#include "splitter/epoch_recovery.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "common/base/logging.h"
#include "common/bytes/digest.h"
#include "common/catalog/partition_scan.h"
#include "common/media/segment_reader.h"
#include "common/record/event_type.h"
#include "common/record/segment_headers.h"
#include "splitter/epoch_opener.h"
#include "splitter/record_append.h"

namespace gopline::splitter {
namespace {

using record::EventType;
using SegmentKey = std::pair<EpochNumber, SegmentNumber>;

// The chunks of one segment, as their headers tell it.
struct SeenSegment {
  std::map<std::int64_t, Offset> chunks;
  std::optional<record::SegmentHeaders> first, last;
  bool late = false;
  std::optional<record::GapFacts> gap;

  bool whole() const {
    return last && chunks.size() == static_cast<std::size_t>(last->chunk) + 1 &&
           chunks.rbegin()->first == last->chunk;
  }
};

class Recovery {
 public:
  Recovery(Log& log, LogWriter& writer, const Clock& clock, const OpenEpoch& epoch,
           const std::optional<record::StreamState>& before)
      : log_(log), writer_(writer), clock_(clock), epoch_(epoch), before_(before) {}

  Result<Recovered> run() {
    if (before_ && before_->epoch) {
      newest_ = before_->epoch;
      out_.ordinal = before_->ordinal;
      out_.discontinuities = before_->discontinuities;
      if (before_->started) openings_[before_->started->writer] = {before_->epoch_offset, *before_->started};
    }
    GOPLINE_TRY(read_segments());
    auto unfinished = newest_unfinished();
    std::erase_if(segments_, [](const auto& item) { return !item.second.whole(); });
    GOPLINE_TRY(drop_indexed());
    for (const auto& [key, segment] : segments_) GOPLINE_TRY(heal(segment));
    if (unfinished) GOPLINE_TRY(measure(*unfinished));
    if (out_.healed > 0) {
      log_warning(epoch_.started.stream, "wrote {} index entries that an earlier writer left out",
                  out_.healed);
    }
    return out_;
  }

 private:
  struct Opening {
    Offset offset;
    record::EpochStarted marker;
  };

  bool same_topic() const {
    // Positions of a topic that was made anew mean nothing.
    return before_ && before_->epoch && before_->epoch_base == epoch_.started.epoch_base;
  }

  Result<void> read_segments() {
    catalog::ScanOptions options;
    options.from = same_topic() ? before_->position : Offset(0);
    options.to = epoch_.offset;
    // Where the values come along anyhow, a marker need not be fetched again.
    options.headers_only = log_.reads_headers_alone();
    Result<void> taken;
    GOPLINE_TRY(catalog::scan_partition(log_, epoch_.segments, options, [&](const StoredRecord& stored) {
      if (stored.key == epoch_.started.stream) taken = take(stored, !options.headers_only);
      return taken.has_value();
    }));
    return taken;
  }

  Result<void> take(const StoredRecord& stored, bool whole) {
    auto type = record::event_type_of(stored.headers);
    if (!type) return {};
    if (*type == EventType::kEpochStarted || *type == EventType::kGap) {
      if (whole) return take_marker(stored, *type);
      GOPLINE_ASSIGN(auto again, catalog::read_record(log_, epoch_.segments, stored.offset));
      return again ? take_marker(*again, *type) : Result<void>{};
    }
    if (*type != EventType::kSegment) return {};
    auto headers = record::parse_segment_headers(stored.headers);
    if (!headers) return {};
    bool late = headers->late || (newest_ && headers->epoch < *newest_);
    if (!late && (!out_.ordinal || *out_.ordinal <= headers->ordinal)) {
      out_.ordinal = headers->ordinal;
      out_.discontinuities = std::max(out_.discontinuities, headers->discontinuities);
    }
    auto& segment = segments_[{headers->epoch, headers->segment}];
    if (segment.chunks.empty()) {
      segment.late = late;
      segment.gap = std::exchange(gaps_[headers->epoch], std::nullopt);
      segment.first = *headers;
    }
    segment.chunks.try_emplace(headers->chunk, stored.offset);
    if (headers->last_chunk) segment.last = std::move(*headers);
    return {};
  }

  Result<void> take_marker(const StoredRecord& stored, EventType type) {
    if (!stored.value) return {};
    if (type == EventType::kGap) {
      auto gap = record::parse_gap(stored.headers, *stored.value);
      if (gap) gaps_[gap->epoch] = record::joined(gaps_[gap->epoch], gap->facts);
      return {};
    }
    auto marker = record::parse_epoch_started(stored.headers, *stored.value);
    if (!marker) return {};
    EpochNumber number(marker->epoch_base + stored.offset.value);
    if (!marker->late && (!newest_ || *newest_ < number)) newest_ = number;
    openings_[marker->writer] = {stored.offset, std::move(*marker)};
    return {};
  }

  Result<void> drop_indexed() {
    if (segments_.empty()) return {};
    catalog::ScanOptions options;
    options.from = same_topic() ? before_->index_position : Offset(0);
    GOPLINE_TRY(catalog::scan_partition(log_, epoch_.index, options, [&](const StoredRecord& stored) {
      if (stored.key != epoch_.started.stream || !stored.value) return true;
      auto entry = record::parse_index_entry(stored.headers, *stored.value);
      if (entry && segments_.erase({entry->epoch, entry->segment}) > 0 && !entry->late) note_times(*entry);
      return true;
    }));
    return {};
  }

  void note_times(const record::IndexEntry& entry) {
    if (!out_.first_time) out_.first_time = entry.time;
    out_.last_time = entry.end_time();
  }

  // An epoch's number is its base plus the offset of its first record.
  Offset assumed_opening(const record::SegmentHeaders& headers) const {
    return Offset(std::max<std::int64_t>(headers.epoch.value - epoch_.started.epoch_base, 0));
  }

  // A writer that a newer one has superseded may have opened its epoch before what is read here. nullptr:
  // its first record is not there any more.
  Result<const Opening*> opening_of(const record::SegmentHeaders& headers) {
    auto known = openings_.find(headers.writer);
    if (known == openings_.end()) {
      GOPLINE_ASSIGN(auto stored, catalog::read_record(log_, epoch_.segments, assumed_opening(headers)));
      if (!stored || !stored->value) return nullptr;
      auto marker = record::parse_epoch_started(stored->headers, *stored->value);
      if (!marker || marker->writer != headers.writer) return nullptr;
      known = openings_.emplace(headers.writer, Opening{stored->offset, std::move(*marker)}).first;
    }
    return &known->second;
  }

  Result<void> heal(const SeenSegment& segment) {
    const auto& h = *segment.last;
    GOPLINE_ASSIGN(auto opening, opening_of(h));
    record::IndexEntry entry;
    entry.stream = h.stream;
    entry.writer = h.writer;
    entry.epoch = h.epoch;
    entry.epoch_offset = opening ? opening->offset : assumed_opening(h);
    entry.segment = h.segment;
    entry.ordinal = h.ordinal;
    entry.discontinuities = h.discontinuities;
    entry.late = segment.late;
    entry.partition = epoch_.segments.partition;
    for (auto [chunk, offset] : segment.chunks) entry.offsets.push_back(offset);
    entry.dataref = h.dataref ? h.dataref->uri : "";
    entry.time = h.time;
    entry.clock = h.clock;
    entry.start = h.start;
    entry.duration = *h.duration;
    entry.size = *h.size;
    entry.sap = h.sap;
    entry.gap = segment.gap;
    if (opening) GOPLINE_TRY(describe_parts(opening->marker, h, entry));
    GOPLINE_TRY(append_and_wait(writer_, epoch_.index, record::encode(entry), clock_));
    if (!entry.late) note_times(entry);
    ++out_.healed;
    return {};
  }

  // The one with which the stream's footage ends.
  std::optional<SeenSegment> newest_unfinished() const {
    for (const auto& [key, segment] : segments_) {
      if (!segment.late && !segment.whole() && segment.first && segment.first->ordinal == out_.ordinal)
        return segment;
    }
    return std::nullopt;
  }

  // Its parts that came whole are footage that is there: what is missing begins where they end.
  Result<void> measure(const SeenSegment& segment) {
    const auto& h = *segment.first;
    GOPLINE_ASSIGN(auto opening, opening_of(h));
    if (!opening || h.dataref) return {};
    std::vector<Offset> offsets;
    for (auto [chunk, offset] : segment.chunks) {
      if (chunk != static_cast<std::int64_t>(offsets.size())) break;
      offsets.push_back(offset);
    }
    GOPLINE_ASSIGN(auto bytes, bytes_of(offsets));
    auto playable = media::playable_prefix(bytes, h.content_type, opening->marker.tracks);
    if (!playable) return {};
    auto end = h.time + Duration(rescale(playable->duration, {1, playable->timescale}, {1, 1'000'000}));
    out_.last_time = end;
    return {};
  }

  Result<Buffer> bytes_of(const std::vector<Offset>& offsets) {
    BufferChain chain;
    for (auto offset : offsets) {
      GOPLINE_ASSIGN(auto stored, catalog::read_record(log_, epoch_.segments, offset));
      if (!stored || !stored->value) break;
      chain.append(*stored->value);
    }
    return chain.flatten();
  }

  // The fragments of a stored segment. One that cannot be read keeps an entry without parts.
  Result<void> describe_parts(const record::EpochStarted& opening, const record::SegmentHeaders& headers,
                              record::IndexEntry& entry) {
    if (headers.content_type.starts_with("video/x-nut") || headers.dataref) return {};
    GOPLINE_ASSIGN(auto bytes, bytes_of(entry.offsets));
    auto init = media::read_init(bytes);
    auto fragments = media::read_fragments(bytes, opening.tracks);
    if (!init || !fragments) return {};
    entry.init_xxh3 = xxh3_hex(init->bytes.bytes());
    for (const auto& fragment : *fragments) {
      auto track = std::find_if(init->tracks.begin(), init->tracks.end(), [&](const auto& candidate) {
        return candidate.track_id == fragment.track_id;
      });
      if (track == init->tracks.end() || fragment.packets.empty()) continue;
      bool first = entry.parts.empty();
      int sap = first ? headers.sap : (fragment.packets.front().is_key() ? 1 : 0);
      entry.parts.push_back({fragment.track_id, fragment.offset, fragment.size,
                             Rational{fragment.duration, track->timescale}, sap});
    }
    return {};
  }

  Log& log_;
  LogWriter& writer_;
  const Clock& clock_;
  const OpenEpoch& epoch_;
  const std::optional<record::StreamState>& before_;
  Recovered out_;
  std::optional<EpochNumber> newest_;
  std::map<SegmentKey, SeenSegment> segments_;
  std::map<EpochNumber, std::optional<record::GapFacts>> gaps_;
  std::map<std::string, Opening> openings_;  // by writer
};

}  // namespace

Result<Recovered> recover(Log& log, LogWriter& writer, const Clock& clock, const OpenEpoch& epoch,
                          const std::optional<record::StreamState>& before) {
  return Recovery(log, writer, clock, epoch, before).run();
}

}  // namespace gopline::splitter
