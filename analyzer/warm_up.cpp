#include "analyzer/warm_up.h"

#include <algorithm>

#include "common/base/headers.h"
#include "common/base/logging.h"
#include "common/catalog/history.h"
#include "common/catalog/partition_scan.h"
#include "common/record/event_type.h"

namespace gopline::analyzer {

std::vector<record::IndexEntry> choose_warm_up(std::vector<record::IndexEntry> entries,
                                               const record::SegmentHeaders& before, Duration warm_up) {
  // Pictures that are shown before an open GOP's access point need the GOP before it.
  bool needs_one = before.sap != kNothingBefore;
  auto from = before.time - warm_up;
  std::vector<record::IndexEntry> chosen;
  auto expected = before.segment;
  auto discontinuities = before.discontinuities;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    bool goes_on = entry->segment.next() == expected && entry->discontinuities == discontinuities;
    bool enough = !needs_one && entry->end_time() <= from && (chosen.empty() || chosen.back().sap > 0);
    if (!goes_on || enough) break;
    needs_one = false;
    expected = entry->segment;
    chosen.push_back(*entry);
    if (entry->gap) break;
  }
  std::ranges::reverse(chosen);
  auto access_point = std::ranges::find_if(chosen, [](const auto& entry) { return entry.sap > 0; });
  chosen.erase(chosen.begin(), access_point);
  return chosen;
}

Result<std::optional<record::IndexEntry>> newest_open_segment(Log& log, const record::Topics& topics,
                                                              const record::StreamState& stream,
                                                              std::optional<EpochNumber> epoch,
                                                              Offset because) {
  GOPLINE_ASSIGN(auto entries,
                 catalog::find_segments(log, topics, stream, {.from = {}, .to = {}, .epoch = epoch}));
  std::optional<record::IndexEntry> newest;
  for (auto& entry : entries) {
    bool counts = !entry.offsets.empty() && entry.offsets.back() < because && (epoch || !entry.late);
    if (counts && (!newest || newest->offsets.back() < entry.offsets.back())) newest = std::move(entry);
  }
  if (!newest) return std::nullopt;
  bool is_open = true;
  catalog::ScanOptions scan;
  scan.from = newest->offsets.back().next();
  scan.to = because;
  scan.headers_only = log.reads_headers_alone();
  GOPLINE_TRY(catalog::scan_partition(
      log, {topics.segments, stream.partition}, scan, [&](const StoredRecord& stored) {
        if (stored.key != stream.stream || find_header(stored.headers, "ce_late")) return true;
        auto type = record::event_type_of(stored.headers);
        is_open = !type || (*type != record::EventType::kGap && *type != record::EventType::kEpochEnded &&
                            *type != record::EventType::kEpochStarted);
        return is_open;
      }));
  return is_open ? newest : std::nullopt;
}

Result<void> read_warm_up(Log& log, const record::Topics& topics, const WarmUpRequest& request,
                          reading::ClaimFetcher* claims, const StopToken& stop,
                          const std::function<Result<void>(const SegmentToAnalyze&)>& take) {
  if (request.before.segment == SegmentNumber(0)) return {};
  GOPLINE_ASSIGN(auto entries, catalog::find_segments(log, topics, request.stream,
                                                      {.from = {}, .to = {}, .epoch = request.before.epoch}));
  std::erase_if(entries, [&](const auto& entry) { return entry.segment >= request.before.segment; });
  auto chosen = choose_warm_up(std::move(entries), request.before, request.warm_up);
  if (chosen.empty()) return {};
  Offset first = chosen.front().offsets.front(), last = chosen.back().offsets.back();
  record::AssemblerOptions options;
  options.joins = true;
  record::ChunkAssembler assembler(options);
  Result<void> result;
  catalog::ScanOptions scan;
  scan.from = first;
  scan.to = last.next();
  scan.stop = stop;
  auto expected = chosen.front().segment;
  GOPLINE_TRY(catalog::scan_partition(
      log, {topics.segments, request.stream.partition}, scan, [&](const StoredRecord& stored) {
        if (stored.key != request.stream.stream) return true;
        record::IncomingRecord incoming{.offset = stored.offset,
                                        .timestamp = stored.timestamp,
                                        .key = stored.key,
                                        .headers = &stored.headers,
                                        .value = stored.value.value_or(Buffer()),
                                        .damage = {},
                                        .pinned_bytes = stored.pinned_bytes};
        if (stored.damage) incoming.damage = stored.damage->message;
        for (auto& event : assembler.add(incoming, {})) {
          auto* segment = std::get_if<record::AssembledSegment>(&event);
          if (!segment || segment->headers.epoch != request.before.epoch) continue;
          SegmentToAnalyze one{segment->headers, std::move(segment->bytes), segment->offsets.front()};
          if (!segment->datarefs.empty()) {
            auto bytes = claims ? claims->fetch(segment->datarefs)
                                : Result<BufferChain>(fail(ErrorCode::kNotFound, "no store was given"));
            if (!bytes) {
              log_warning(request.stream.stream, "warm-up: {}", bytes.error().message);
              continue;
            }
            one.bytes = std::move(*bytes);
          }
          if (one.headers.segment < expected) continue;
          expected = one.headers.segment.next();
          result = take(one);
          if (!result) return false;
        }
        return true;
      }));
  return result;
}

}  // namespace gopline::analyzer
