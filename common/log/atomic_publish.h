#pragma once
#include <map>
#include <vector>

#include "common/log/log.h"

namespace gopline {

struct RecordToPublish {
  TopicPartition where;
  NewRecord record;
};

// What the readers of a log can do that has transactions: append records, to any topics, and commit the
// group's offsets, as one. Once it has returned all of it is durable; else none of it is, nor will it be:
// readers never see a record of a transaction that failed, and after a crash anywhere within, all or nothing
// is there. This is what exactly once rests on: what was derived from records is written together with the
// word that these records are done with.
class AtomicPublisher {
 public:
  virtual ~AtomicPublisher() = default;

  // kConflict: one of the partitions is not this member's any more. kNotFound: no such topic or partition.
  // kUnsupported: some of the topics lie in another log. kTooLarge: a record that can never fit. One thread,
  // the reader's.
  virtual Result<void> publish_and_commit(const std::vector<RecordToPublish>& records,
                                          const std::map<TopicPartition, Offset>& next) = 0;
};

// The same of any reader: kUnsupported where its log has no transactions.
Result<void> publish_and_commit(LogReader& reader, const std::vector<RecordToPublish>& records,
                                const std::map<TopicPartition, Offset>& next);

}  // namespace gopline
