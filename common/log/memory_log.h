#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/log/log.h"

namespace gopline {

struct MemoryLogState;

struct MemoryLogOptions {
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();  // retention, group sessions
  std::uint64_t max_record_bytes = 256 << 20;
  bool reads_headers_alone = true;  // what it says of itself
};

// A log in memory with the whole semantics of the port, for tests: deterministic, with its time from a Clock,
// and with levers for everything that goes wrong in a real one. Thread-safe. poll() waits in real time;
// sessions end by the clock.
class MemoryLog final : public Log {
 public:
  explicit MemoryLog(MemoryLogOptions options = {});
  ~MemoryLog() override;

  Result<TopicInfo> ensure_topic(const TopicSpec& spec) override;
  Result<TopicInfo> describe_topic(const std::string& name) override;
  Result<std::vector<std::string>> list_topics() override;
  Result<void> add_partitions(const std::string& name, std::int32_t partitions) override;
  Result<void> delete_topic(const std::string& name) override;
  Result<OffsetRange> offsets(const TopicPartition& where) override;
  Result<void> apply_retention() override;
  Result<std::unique_ptr<LogWriter>> make_writer(LogWriterOptions options) override;
  Result<std::unique_ptr<LogReader>> make_reader(LogReaderOptions options) override;
  bool reads_headers_alone() const override;
  std::string describe() const override { return "memory:"; }

  // What the partition holds now, oldest first; empty for an unknown one. For assertions.
  std::vector<StoredRecord> records(const TopicPartition& where) const;

  // append() itself returns `error` for the next `count` records, of whatever writer.
  void reject_next_appends(int count, Error error);
  // The next `count` records are taken, but their delivery fails with `error` and they are not in the log.
  void fail_next_appends(int count, Error error);
  // The next record is stored, and its delivery nevertheless fails: an acknowledgement that was lost on its
  // way.
  void lose_next_acknowledgement(Error error);
  // The next `count` poll() calls, of whatever reader, return `error`.
  void fail_next_polls(int count, Error error);
  // While away, poll() waits in vain and no position moves; everything else goes on.
  void deliver_nothing(bool away);
  // While held, records are stored but not acknowledged: max_pending_bytes fills up.
  void hold_acknowledgements(bool held);

  // What happens to stored bytes. All return false when there is no such record.
  bool flip_byte(const TopicPartition& where, Offset offset, std::size_t position);  // in the value
  bool truncate_value(const TopicPartition& where, Offset offset,
                      std::size_t bytes);  // keeps the first `bytes`
  bool set_header(const TopicPartition& where, Offset offset, const Header& header);  // replaces or adds
  bool damage(const TopicPartition& where, Offset offset, Error error);  // read as StoredRecord::damage
  bool drop_record(const TopicPartition& where, Offset offset);          // leaves a hole
  bool repeat_record(const TopicPartition& where, Offset offset);        // appends it once more
  // Everything before `offset` expires.
  void trim(const TopicPartition& where, Offset offset);

 private:
  std::shared_ptr<MemoryLogState> state_;
};

}  // namespace gopline
