#include "common/catalog/topic_specs.h"

namespace gopline::catalog {

Result<TopicInfo> ensure_topics(Log& log, const record::Topics& topics, const TopicOptions& options) {
  if (options.partitions < 1)
    return fail(ErrorCode::kInvalidArgument, "a topic needs at least one partition");
  GOPLINE_ASSIGN(auto segments, log.ensure_topic({topics.segments, options.partitions, options.segments}));
  GOPLINE_ASSIGN(auto index, log.ensure_topic({topics.index, segments.partitions, options.segments, true}));
  // One partition: the order in which first writers name a stream's partition is then one order.
  Retention newest_only;
  newest_only.compacted = true;
  GOPLINE_TRY(log.ensure_topic({topics.streams, 1, newest_only}));
  if (index.partitions < segments.partitions) {
    return fail(ErrorCode::kConflict, "topic {} has {} partitions and {} has {}: give {} as many",
                topics.segments, segments.partitions, topics.index, index.partitions, topics.index);
  }
  return segments;
}

}  // namespace gopline::catalog
