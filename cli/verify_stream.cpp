#include "cli/verify_stream.h"

#include <fmt/format.h>

#include "cli/index_check.h"
#include "cli/stream_ledger.h"
#include "common/catalog/partition_scan.h"

namespace gopline::cli {

Result<VerifyReport> verify_stream(
    const OpenedLog& log, const record::StreamState& state, const Clock& clock, StopToken stop,
    const std::function<void(std::uint64_t bytes, double fraction)>& progress) {
  VerifyReport report;
  report.stream = state.stream;
  report.partition = state.partition;
  TopicPartition where{log.topics.segments, state.partition};
  GOPLINE_ASSIGN(report.kept, log.log->offsets(where));
  auto span = static_cast<double>(std::max<std::int64_t>(1, report.kept.end.value - report.kept.begin.value));

  StreamLedger ledger(report, log.topics.segments);
  record::ChunkAssembler assembler;
  std::uint64_t bytes = 0;
  catalog::ScanOptions scan;
  scan.to = report.kept.end;
  scan.stop = stop;
  GOPLINE_TRY(catalog::scan_partition(*log.log, where, scan, [&](const StoredRecord& stored) {
    if (stored.key != state.stream) return true;
    ++report.counts.records;
    record::IncomingRecord incoming{stored.offset,      stored.timestamp, stored.key, &stored.headers, {}, {},
                                    stored.pinned_bytes};
    if (stored.value) incoming.value = *stored.value;
    if (stored.damage) incoming.damage = stored.damage->message;
    for (auto& event : assembler.add(incoming, clock.steady_now()))
      ledger.take(std::move(event), stored.offset);
    bytes += incoming.value.size();
    progress(bytes, static_cast<double>(stored.offset.value - report.kept.begin.value) / span);
    return true;
  }));
  if (stop.stop_requested())
    return fail(ErrorCode::kCancelled, "{}: interrupted before all was checked", state.stream);
  for (auto& event : assembler.give_up_all()) ledger.take(std::move(event), std::nullopt);
  ledger.finish();
  const auto& stats = assembler.stats();
  report.counts.duplicates += static_cast<std::int64_t>(stats.duplicates);
  report.counts.late += static_cast<std::int64_t>(stats.late);
  report.counts.foreign += static_cast<std::int64_t>(stats.unknown_records);
  if (stats.conflicts > 0) {
    report.problems.push_back({"order",
                               fmt::format("{} chunks repeat a number with other bytes", stats.conflicts),
                               log.topics.segments, std::nullopt, std::nullopt, std::nullopt});
  }
  GOPLINE_TRY(check_index(*log.log, log.topics, state, ledger, stop, report));
  check_state(state, ledger, log.topics.streams, report);
  return report;
}

}  // namespace gopline::cli
