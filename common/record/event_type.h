#pragma once
#include <string_view>

#include "common/base/headers.h"
#include "common/base/result.h"

namespace gopline::record {

// What a record is, by its `ce_type`: gopline.NAME.v1.
enum class EventType {
  kSegment,
  kEpochStarted,
  kEpochEnded,
  kGap,
  kIndex,
  kIndexHour,
  kStream,
  kDetection,
  kFile,
  kDead,
  kUnknown,  // not ours, or a kind that this version does not know: to be skipped and counted
};

// "gopline.segment.v1"; empty for kUnknown.
std::string_view to_string(EventType type);

// What a record with these headers is. kUnsupported when it is of a kind we know in a major version that we
// do not: the message says what to upgrade.
Result<EventType> event_type_of(const Headers& headers);

}  // namespace gopline::record
