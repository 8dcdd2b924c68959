#include "common/catalog/claims.h"

#include "common/catalog/partition_scan.h"
#include "common/record/event_type.h"

namespace gopline::catalog {

namespace {

// Records of all partitions that have this header, until `take` returns an error.
Result<void> for_each_with(Log& log, const std::string& topic, const char* header, bool headers_only,
                           const StopToken& stop,
                           const std::function<Result<void>(const StoredRecord&)>& take) {
  auto info = log.describe_topic(topic);
  if (!info && info.error().code == ErrorCode::kNotFound) return {};
  if (!info) return tl::unexpected<Error>(std::move(info.error()));
  Result<void> taken;
  for (PartitionId partition(0); partition.value < info->partitions && taken; partition = partition.next()) {
    ScanOptions scan;
    scan.headers_only = headers_only;
    scan.stop = stop;
    GOPLINE_TRY(scan_partition(log, {topic, partition}, scan, [&](const StoredRecord& stored) {
      if (find_header(stored.headers, header)) taken = take(stored);
      return taken.has_value();
    }));
  }
  return taken;
}

}  // namespace

Result<void> for_each_claim(Log& log, const std::string& topic, const StopToken& stop,
                            const std::function<Result<void>(const Claim&)>& visit) {
  return for_each_with(log, topic, "ce_dataref", true, stop, [&](const StoredRecord& stored) -> Result<void> {
    auto headers = record::parse_segment_headers(stored.headers);
    if (!headers || !headers->dataref) return {};
    return visit({stored.where, stored.offset, std::move(*headers)});
  });
}

Result<void> for_each_thumbnail(Log& log, const std::string& topic, const StopToken& stop,
                                const std::function<Result<void>(const record::Detection&)>& visit) {
  return for_each_with(log, topic, "ce_thumbnail", false, stop,
                       [&](const StoredRecord& stored) -> Result<void> {
                         if (!stored.value) return {};
                         auto event = record::parse_detection(stored.headers, *stored.value);
                         if (!event || !event->thumbnail || !event->thumbnail->ref) return {};
                         return visit(*event);
                       });
}

}  // namespace gopline::catalog
