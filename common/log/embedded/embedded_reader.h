#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/log/atomic_publish.h"
#include "common/log/embedded/group_rows.h"
#include "common/log/embedded/log_parts.h"
#include "common/log/embedded/record_rows.h"
#include "common/log/embedded/topic_rows.h"

namespace gopline::embedded {

// Reads over a connection of its own: rows first, then the values they point to, then a look whether
// retention has taken any of them meanwhile.
class EmbeddedReader final : public LogReader, public AtomicPublisher {
 public:
  static Result<std::unique_ptr<LogReader>> make(std::shared_ptr<LogParts> log, LogReaderOptions options);
  ~EmbeddedReader() override;

  Result<void> assign(const std::vector<std::pair<TopicPartition, StartPosition>>& partitions) override;
  Result<void> subscribe(const std::vector<std::string>& topics, StartPosition first_start) override;
  std::vector<TopicPartition> assignment() const override;
  Result<std::vector<StoredRecord>> poll(Duration max_wait) override;
  void wakeup() override;
  Result<Offset> position(const TopicPartition& where) override;
  Result<std::int64_t> lag(const TopicPartition& where) override;
  Result<void> seek(const TopicPartition& where, StartPosition position) override;
  Result<void> commit(const TopicPartition& where, Offset next) override;
  Result<std::optional<Offset>> committed(const TopicPartition& where) override;
  // Values go into the catalogue, whatever their size up to a MiB: there is one transaction, and it is there.
  Result<void> publish_and_commit(const std::vector<RecordToPublish>& records,
                                  const std::map<TopicPartition, Offset>& next) override;

 private:
  struct Position {
    std::int64_t topic = 0;
    std::int64_t partition = 0;
    Offset next;
    std::int64_t removals = 0;  // as of the last look
  };

  EmbeddedReader(std::shared_ptr<LogParts> log, LogReaderOptions options);
  Result<void> prepare();

  Result<PartitionRow> find_partition(const TopicPartition& where);
  Result<Position> resolve(const TopicPartition& where, const StartPosition& start);
  Result<Position> resolve_in_group(const TopicPartition& where);
  std::chrono::steady_clock::time_point slice_end(std::chrono::steady_clock::time_point until) const;

  Result<std::vector<StoredRecord>> fetch();
  Result<std::vector<StoredRecord>> fetch_once(std::vector<std::pair<Position*, Position>>& before);
  Result<std::vector<std::pair<Position*, Offset>>> find_ends();
  Result<std::vector<RecordRow>> read_rows(const std::vector<std::pair<Position*, Offset>>& ends,
                                           std::vector<std::pair<Position*, Position>>& before);
  Result<std::vector<StoredRecord>> with_values(std::vector<RecordRow> rows);
  Result<void> drop_removed(std::vector<StoredRecord>& records);
  tl::unexpected<Error> topic_is_gone(const std::string& topic);

  Result<void> require_group(const char* call) const;
  Result<void> keep_house();
  Result<bool> rebalance(std::vector<TopicPartition>& lost, std::vector<TopicPartition>& gained);
  Result<void> may_commit(const char* call) const;
  Result<void> commit_within(const TopicPartition& where, Offset next);
  Result<void> insert(const NewRecord& record, PartitionRow& partition);
  Result<void> let_go(const std::vector<TopicPartition>& lost);

  const std::shared_ptr<LogParts> log_;
  const LogReaderOptions options_;
  sqlite::Database database_;
  TopicRows topic_rows_;
  RecordRows record_rows_;
  GroupRows group_rows_;
  Membership member_;  // no topics: not subscribed
  StartPosition first_start_;
  std::int64_t generation_ = -1;
  SteadyTime last_stay_;
  std::map<TopicPartition, Position> positions_;
  std::size_t turns_ = 0;
  std::atomic<bool> woken_ = false;
};

}  // namespace gopline::embedded
