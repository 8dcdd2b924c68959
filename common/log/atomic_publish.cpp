#include "common/log/atomic_publish.h"

namespace gopline {

Result<void> publish_and_commit(LogReader& reader, const std::vector<RecordToPublish>& records,
                                const std::map<TopicPartition, Offset>& next) {
  auto* publisher = dynamic_cast<AtomicPublisher*>(&reader);
  if (!publisher) return fail(ErrorCode::kUnsupported, "this log has no transactions");
  return publisher->publish_and_commit(records, next);
}

}  // namespace gopline
