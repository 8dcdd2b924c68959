#include "cli/verify_stream.h"

#include <fmt/format.h>

#include "cli/index_check.h"
#include "cli/stream_ledger.h"
#include "common/bytes/digest.h"
#include "common/catalog/partition_scan.h"
#include "common/reading/claim_fetcher.h"

namespace gopline::cli {

namespace {

// Puts the payload into a segment that has it elsewhere; where it is gone or altered, that is a problem of
// the stream's. A store that cannot be read now ends the reading.
Result<void> redeem(record::AssembledSegment& segment, reading::ClaimFetcher& claims,
                    const std::string& topic, VerifyReport& report) {
  auto bytes = claims.fetch(segment.datarefs);
  ++report.counts.claims;
  auto object = [&](std::string kind, std::string message) {
    report.problems.push_back({std::move(kind), std::move(message), topic, segment.offsets.front(),
                               segment.headers.epoch, segment.headers.segment});
  };
  if (!bytes) {
    auto code = bytes.error().code;
    if (code != ErrorCode::kNotFound && code != ErrorCode::kCorrupt) {
      return tl::unexpected<Error>(std::move(bytes.error()));
    }
    object(code == ErrorCode::kNotFound ? "missing-blob" : "corrupt", std::move(bytes.error().message));
    return {};
  }
  segment.bytes = std::move(*bytes);
  if (segment.headers.sha256 && sha256_hex(segment.bytes) != *segment.headers.sha256) {
    object("corrupt", "its payload does not have the hash in ce_sha256");
  }
  return {};
}

}  // namespace

Result<VerifyReport> verify_stream(
    const OpenedLog& log, const record::StreamState& state, const Clock& clock, payload::BlobSource& blobs,
    StopToken stop, const std::function<void(std::uint64_t bytes, double fraction)>& progress) {
  VerifyReport report;
  report.stream = state.stream;
  report.partition = state.partition;
  TopicPartition where{log.topics.segments, state.partition};
  GOPLINE_ASSIGN(report.kept, log.log->offsets(where));
  auto span = static_cast<double>(std::max<std::int64_t>(1, report.kept.end.value - report.kept.begin.value));

  StreamLedger ledger(report, log.topics.segments);
  record::ChunkAssembler assembler;
  reading::ClaimFetcher claims(blobs, stop);
  Result<void> readable;
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
    for (auto& event : assembler.add(incoming, clock.steady_now())) {
      auto* segment = std::get_if<record::AssembledSegment>(&event);
      if (segment && !segment->datarefs.empty()) {
        readable = redeem(*segment, claims, log.topics.segments, report);
        if (!readable) return false;
        bytes += segment->bytes.size();
      }
      ledger.take(std::move(event), stored.offset);
    }
    bytes += incoming.value.size();
    progress(bytes, static_cast<double>(stored.offset.value - report.kept.begin.value) / span);
    return true;
  }));
  GOPLINE_TRY(readable);
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
