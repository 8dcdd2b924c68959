#include "common/catalog/claims.h"

#include "common/catalog/partition_scan.h"
#include "common/record/event_type.h"

namespace gopline::catalog {

Result<void> for_each_claim(Log& log, const std::string& topic, const StopToken& stop,
                            const std::function<Result<void>(const Claim&)>& visit) {
  auto info = log.describe_topic(topic);
  if (!info && info.error().code == ErrorCode::kNotFound) return {};
  if (!info) return tl::unexpected<Error>(std::move(info.error()));
  Result<void> visited;
  for (PartitionId partition(0); partition.value < info->partitions && visited;
       partition = partition.next()) {
    ScanOptions scan;
    scan.headers_only = true;
    scan.stop = stop;
    GOPLINE_TRY(scan_partition(log, {topic, partition}, scan, [&](const StoredRecord& stored) {
      if (!find_header(stored.headers, "ce_dataref")) return true;
      auto headers = record::parse_segment_headers(stored.headers);
      if (headers && headers->dataref) visited = visit({stored.where, stored.offset, std::move(*headers)});
      return visited.has_value();
    }));
  }
  return visited;
}

}  // namespace gopline::catalog
