#include "cli/stream_part.h"

#include "common/base/text.h"

namespace gopline::cli {

Result<aggregator::EpochSelection> parse_epoch(std::string_view text) {
  if (text == "latest") return aggregator::EpochSelection::latest();
  if (text == "all") return aggregator::EpochSelection::all();
  auto number = parse_int64(text);
  if (number && *number >= 0) return aggregator::EpochSelection::one(EpochNumber(*number));
  return fail(ErrorCode::kInvalidArgument,
              "'{}' is not an epoch: write latest, all, or a number as inspect shows it", text);
}

Result<aggregator::StreamPoint> parse_point(std::string_view text) {
  if (auto offset = parse_int64(text); offset && *offset >= 0) return Offset(*offset);
  if (auto time = parse_rfc3339(text)) return *time;
  return fail(ErrorCode::kInvalidArgument,
              "'{}' is neither a time like 2026-11-22T18:30:00Z (RFC 3339) nor an offset as inspect shows it",
              text);
}

}  // namespace gopline::cli
