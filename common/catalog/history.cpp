#include "common/catalog/history.h"

#include <map>

#include "common/base/logging.h"
#include "common/base/rational.h"
#include "common/base/text.h"
#include "common/catalog/partition_scan.h"
#include "common/record/event_type.h"

namespace gopline::catalog {
namespace {

using record::EventType;

// Whether an index record may match, from its headers alone. Headers that do not parse are left to the
// value's parser.
bool may_match(const Headers& headers, const SegmentQuery& query) {
  if (query.epoch) {
    auto epoch = parse_int64(find_header(headers, "ce_epoch").value_or(""));
    if (epoch && *epoch != query.epoch->value) return false;
  }
  auto time = parse_rfc3339(find_header(headers, "ce_time").value_or(""));
  auto duration = parse_rational(find_header(headers, "ce_duration").value_or(""));
  if (!time || !duration) return true;
  if (query.to && *time >= *query.to) return false;
  record::IndexEntry entry;
  entry.time = *time;
  entry.duration = *duration;
  return !query.from || *time >= *query.from || entry.end_time() > *query.from;
}

bool is_of(const StoredRecord& stored, const std::string& stream, EventType type) {
  if (stored.key != stream) return false;
  auto actual = record::event_type_of(stored.headers);
  return actual && *actual == type;
}

}  // namespace

Result<std::vector<record::IndexEntry>> find_segments(Log& log, const record::Topics& topics,
                                                      const record::StreamState& stream,
                                                      const SegmentQuery& query) {
  std::map<std::pair<EpochNumber, SegmentNumber>, record::IndexEntry> found;
  auto scanned = scan_partition(log, {topics.index, stream.partition}, {}, [&](const StoredRecord& stored) {
    if (!is_of(stored, stream.stream, EventType::kIndex) || !stored.value ||
        !may_match(stored.headers, query))
      return true;
    auto entry = record::parse_index_entry(stored.headers, *stored.value);
    if (!entry)
      log_warning(stream.stream, "index entry at offset {}: {}", stored.offset, entry.error().message);
    else
      found.try_emplace({entry->epoch, entry->segment}, std::move(*entry));
    return true;
  });
  if (!scanned && scanned.error().code != ErrorCode::kNotFound) return tl::unexpected<Error>(scanned.error());
  std::vector<record::IndexEntry> out;
  out.reserve(found.size());
  for (auto& [number, entry] : found) out.push_back(std::move(entry));
  return out;
}

Result<record::StartedEpoch> find_epoch(Log& log, const record::Topics& topics,
                                        const record::StreamState& stream, EpochNumber epoch, Offset offset) {
  GOPLINE_ASSIGN(auto stored, read_record(log, {topics.segments, stream.partition}, offset));
  if (stored && stored->value && is_of(*stored, stream.stream, EventType::kEpochStarted)) {
    GOPLINE_ASSIGN(auto marker, record::parse_epoch_started(stored->headers, *stored->value));
    return record::StartedEpoch{epoch, offset, std::move(marker)};
  }
  if (stream.epoch == epoch && stream.started) return record::StartedEpoch{epoch, offset, *stream.started};
  return fail(ErrorCode::kNotFound,
              "{}: the opening record of epoch {} (offset {} of {}) is not kept any more", stream.stream,
              epoch, offset, topics.segments);
}

namespace {

// What a pass over the headers of a stream's partition finds.
struct MarkerOffsets {
  struct Marker {
    Offset offset;
    EventType type;
    std::optional<StoredRecord> stored;  // where its value came along
  };
  std::vector<Marker> markers;
  std::map<std::string, EpochNumber>
      epoch_of_writer;  // as the writers' own records say: right in a copied log, too
};

Result<MarkerOffsets> find_markers(Log& log, const TopicPartition& where, const std::string& stream) {
  MarkerOffsets found;
  ScanOptions options;
  options.headers_only = log.reads_headers_alone();
  GOPLINE_TRY(scan_partition(log, where, options, [&](const StoredRecord& stored) {
    if (stored.key != stream) return true;
    auto type = record::event_type_of(stored.headers);
    if (!type) return true;
    if (*type == EventType::kEpochStarted || *type == EventType::kEpochEnded || *type == EventType::kGap) {
      found.markers.push_back({stored.offset, *type, {}});
      if (!options.headers_only) {
        auto& kept = found.markers.back().stored.emplace(stored);
        leave_shared_block(kept);
      }
    }
    auto writer = find_header(stored.headers, "ce_writer");
    auto epoch = find_header(stored.headers, "ce_epoch");
    auto number = epoch ? parse_int64(*epoch) : Result<std::int64_t>(-1);
    if (writer && number && *number >= 0)
      found.epoch_of_writer.try_emplace(std::string(*writer), EpochNumber(*number));
    return true;
  }));
  return found;
}

}  // namespace

Result<std::vector<EpochHistory>> read_epochs(Log& log, const record::Topics& topics,
                                              const record::StreamState& stream) {
  TopicPartition where{topics.segments, stream.partition};
  GOPLINE_ASSIGN(auto found, find_markers(log, where, stream.stream));
  std::map<EpochNumber, EpochHistory> epochs;
  for (auto& [offset, type, stored] : found.markers) {
    if (!stored) {
      GOPLINE_ASSIGN(stored, read_record(log, where, offset));
    }
    if (!stored || !stored->value) continue;
    if (type == EventType::kEpochStarted) {
      auto marker = record::parse_epoch_started(stored->headers, *stored->value);
      if (!marker) continue;
      auto own = found.epoch_of_writer.find(marker->writer);
      auto number =
          own != found.epoch_of_writer.end() ? own->second : EpochNumber(marker->epoch_base + offset.value);
      epochs[number].started = {number, offset, std::move(*marker)};
    } else if (type == EventType::kEpochEnded) {
      auto marker = record::parse_epoch_ended(stored->headers, *stored->value);
      if (marker) epochs[marker->epoch].ended = std::move(*marker);
    } else {
      auto marker = record::parse_gap(stored->headers, *stored->value);
      if (marker) epochs[marker->epoch].gaps.push_back(std::move(*marker));
    }
  }
  if (stream.epoch && stream.started && epochs[*stream.epoch].started.marker.stream.empty()) {
    epochs[*stream.epoch].started = {*stream.epoch, stream.epoch_offset, *stream.started};
  }
  std::vector<EpochHistory> out;
  for (auto& [number, epoch] : epochs) {
    if (!epoch.started.marker.stream.empty()) out.push_back(std::move(epoch));
  }
  return out;
}

}  // namespace gopline::catalog
