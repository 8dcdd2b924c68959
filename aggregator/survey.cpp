#include "aggregator/survey.h"

#include <algorithm>

#include "aggregator/record_fetcher.h"
#include "common/base/text.h"
#include "common/catalog/partition_scan.h"
#include "common/record/event_type.h"

namespace gopline::aggregator {
namespace {

using record::EventType;

class Surveyor {
 public:
  // `coverage` is told of what was seen.
  Surveyor(const std::string& stream, IndexCoverage& coverage) : stream_(stream), coverage_(coverage) {}

  // `whole`: with its value.
  void take(const StoredRecord& stored, bool whole) {
    if (stored.key != stream_) return;
    auto type = record::event_type_of(stored.headers);
    if (!type) {
      ++survey_.foreign_records;
    } else if (*type == EventType::kSegment) {
      take_chunk(stored);
    } else if (*type == EventType::kEpochStarted || *type == EventType::kEpochEnded ||
               *type == EventType::kGap) {
      tell(stored, *type);
      markers_.push_back({stored.offset, *type, whole ? std::optional(copy_of(stored)) : std::nullopt});
    } else {
      ++survey_.foreign_records;
    }
  }

  Result<Survey> finish(RecordFetcher& fetcher) {
    for (auto& marker : markers_) {
      if (!marker.stored) {
        GOPLINE_ASSIGN(marker.stored, fetcher.fetch(marker.offset));
      }
      if (marker.stored) take_marker(*marker.stored, marker.type);
    }
    return std::move(survey_);
  }

 private:
  struct Marker {
    Offset offset;
    EventType type;
    std::optional<StoredRecord> stored;
  };

  // Without the memory that a small value may share with large ones.
  static StoredRecord copy_of(const StoredRecord& stored) {
    auto copy = stored;
    if (copy.value) copy.value = Buffer::copy(copy.value->bytes());
    return copy;
  }

  void tell(const StoredRecord& stored, EventType type) {
    bool started = type == EventType::kEpochStarted;
    auto number =
        parse_int64(find_header(stored.headers, started ? "ce_epochbase" : "ce_epoch").value_or(""));
    if (!number) return;
    EpochNumber epoch(started ? *number + stored.offset.value : *number);
    coverage_.saw(epoch, stored.offset);
    if (type == EventType::kEpochEnded) coverage_.saw_end(epoch);
  }

  void take_chunk(const StoredRecord& stored) {
    auto headers = record::parse_segment_headers(stored.headers);
    if (!headers || headers->stream != stream_) {
      ++survey_.foreign_records;
      return;
    }
    epoch_of_writer_.try_emplace(headers->writer, headers->epoch);
    coverage_.saw(headers->epoch, stored.offset);
    auto& segment = survey_.epochs[headers->epoch].segments[headers->segment.value];
    if (!segment.chunks.try_emplace(headers->chunk, stored.offset).second) {
      ++survey_.duplicates;
      return;
    }
    bool newest = segment.chunks.size() == 1 || headers->last_chunk || headers->chunk > segment.headers.chunk;
    if (newest && !segment.headers.last_chunk) segment.headers = std::move(*headers);
  }

  void take_marker(const StoredRecord& stored, EventType type) {
    auto value = stored.value.value_or(Buffer());
    if (type == EventType::kEpochStarted) {
      auto marker = record::parse_epoch_started(stored.headers, value);
      if (!marker) return void(++survey_.foreign_records);
      // In a copied log offsets differ: what the writer's own records say goes first.
      auto own = epoch_of_writer_.find(marker->writer);
      auto number =
          own != epoch_of_writer_.end() ? own->second : EpochNumber(marker->epoch_base + stored.offset.value);
      auto& epoch = survey_.epochs[number];
      if (!epoch.started) epoch.started = record::StartedEpoch{number, stored.offset, std::move(*marker)};
    } else if (type == EventType::kEpochEnded) {
      auto marker = record::parse_epoch_ended(stored.headers, value);
      if (!marker) return void(++survey_.foreign_records);
      auto number = marker->epoch;
      survey_.epochs[number].ended = std::move(*marker);
    } else {
      auto marker = record::parse_gap(stored.headers, value);
      if (!marker) return void(++survey_.foreign_records);
      auto number = marker->epoch;
      survey_.epochs[number].gaps.emplace_back(stored.offset, std::move(*marker));
    }
  }

  const std::string& stream_;
  IndexCoverage& coverage_;
  Survey survey_;
  std::vector<Marker> markers_;
  std::map<std::string, EpochNumber> epoch_of_writer_;
};

}  // namespace

Result<Survey> survey(Log& log, const TopicPartition& where, const std::string& stream,
                      IndexCoverage coverage, StopToken stop) {
  Surveyor surveyor(stream, coverage);
  catalog::ScanOptions options;
  // Where the values come along anyhow, a marker need not be fetched again.
  options.headers_only = log.reads_headers_alone();
  options.stop = stop;
  catalog::PartitionScanner scanner(log, where, options);
  GOPLINE_ASSIGN(auto range, log.offsets(where));
  auto at = range.begin;
  for (auto unknown = coverage.next(at); unknown && unknown->begin < range.end; unknown = coverage.next(at)) {
    auto end = std::min(unknown->end.value_or(range.end), range.end);
    GOPLINE_ASSIGN(at, scanner.scan(unknown->begin, end, [&](const StoredRecord& stored) {
      surveyor.take(stored, !options.headers_only);
      return !coverage.has_changed();
    }));
  }
  RecordFetcher fetcher(log, where, stop);
  return surveyor.finish(fetcher);
}

Result<Survey> survey(Log& log, const TopicPartition& where, const std::string& stream, Offset from,
                      StopToken stop) {
  return survey(log, where, stream, IndexCoverage(from), std::move(stop));
}

}  // namespace gopline::aggregator
