#include "aggregator/survey.h"

#include "aggregator/record_fetcher.h"
#include "common/base/text.h"
#include "common/catalog/partition_scan.h"
#include "common/record/event_type.h"

namespace gopline::aggregator {
namespace {

using record::EventType;

class Surveyor {
 public:
  explicit Surveyor(const std::string& stream) : stream_(stream) {}

  void take(const StoredRecord& stored) {
    if (stored.key != stream_) return;
    auto type = record::event_type_of(stored.headers);
    if (!type) {
      ++survey_.foreign_records;
    } else if (*type == EventType::kSegment) {
      take_chunk(stored);
    } else if (*type == EventType::kEpochStarted || *type == EventType::kEpochEnded ||
               *type == EventType::kGap) {
      markers_.emplace_back(stored.offset, *type);
    } else {
      ++survey_.foreign_records;
    }
  }

  Result<Survey> finish(RecordFetcher& fetcher) {
    for (auto [offset, type] : markers_) {
      GOPLINE_ASSIGN(auto stored, fetcher.fetch(offset));
      if (stored) take_marker(*stored, type);
    }
    return std::move(survey_);
  }

 private:
  void take_chunk(const StoredRecord& stored) {
    auto headers = record::parse_segment_headers(stored.headers);
    if (!headers || headers->stream != stream_) {
      ++survey_.foreign_records;
      return;
    }
    epoch_of_writer_.try_emplace(headers->writer, headers->epoch);
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
  Survey survey_;
  std::vector<std::pair<Offset, EventType>> markers_;
  std::map<std::string, EpochNumber> epoch_of_writer_;
};

}  // namespace

Result<Survey> survey(Log& log, const TopicPartition& where, const std::string& stream, Offset from,
                      std::optional<Offset> to, StopToken stop) {
  Surveyor surveyor(stream);
  catalog::ScanOptions options;
  options.from = from;
  options.to = to;
  options.headers_only = true;
  options.stop = stop;
  GOPLINE_TRY(catalog::scan_partition(log, where, options, [&](const StoredRecord& stored) {
    surveyor.take(stored);
    return true;
  }));
  RecordFetcher fetcher(log, where, stop);
  return surveyor.finish(fetcher);
}

}  // namespace gopline::aggregator
