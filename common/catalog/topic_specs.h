#pragma once
#include <cstdint>

#include "common/base/result.h"
#include "common/log/log.h"
#include "common/record/topics.h"

namespace gopline::catalog {

struct TopicOptions {
  std::int32_t partitions = 8;  // of segments and index alike: a stream has the same partition in both
  Retention segments;           // of segments and index
};

// Makes NS.segments, NS.index and NS.streams where they are missing and tells NS.segments' limits. Topics
// that exist stay as they are; kConflict when NS.index has fewer partitions than NS.segments.
Result<TopicInfo> ensure_topics(Log& log, const record::Topics& topics, const TopicOptions& options);

}  // namespace gopline::catalog
