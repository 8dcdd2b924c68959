#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/headers.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/base/strong_int.h"
#include "common/bytes/buffer_chain.h"

// The port through which everything reads and writes records. The semantics are Kafka's, because Kafka is one
// of the logs behind it; common/log/contract_test_suite.h is the definition in code.
namespace gopline {

struct TopicPartition {
  std::string topic;
  PartitionId partition;
  auto operator<=>(const TopicPartition&) const = default;
};

// What a writer hands over.
struct NewRecord {
  std::string key;
  std::optional<BufferChain> value;  // nullopt is a tombstone (null value); an empty chain is an empty value
  Headers headers;
  Timestamp timestamp;  // CreateTime
  // XXH3-64 of the value in hex, where the caller has it already: a log that keeps a checksum takes it
  // instead of reading the value once more. Empty: the log computes its own.
  std::string value_xxh3 = {};
};

// What a reader gets. `value` may share a larger allocation: see `pinned_bytes`.
struct StoredRecord {
  TopicPartition where;
  Offset offset;
  Timestamp timestamp;
  std::string key;
  std::optional<Buffer> value;
  Headers headers;
  // Bytes of memory that holding `value` keeps alive; at least value->size().
  std::size_t pinned_bytes = 0;
  // Set when the log knows that the stored bytes are damaged (short file, failed read, checksum): value is
  // then empty, never null. The records after it are read as if nothing had happened.
  std::optional<Error> damage;
};

// Copies a value out of the block that it shares, where holding it would keep more than four times its size
// alive and it is small enough (below 1 MiB) for that to cost little. For whoever keeps records for a while.
void leave_shared_block(StoredRecord& record);

// How long a topic keeps its records. Applied to whole prefixes of a partition, never to a record in the
// middle. A log may keep more than it must (Kafka drops whole segments), never less: by bytes, the oldest
// record goes only while the newer ones alone hold at least `bytes`; by age, a record that is young enough
// protects those behind it.
struct Retention {
  std::optional<Duration> age;         // by record timestamp; nullopt: for ever
  std::optional<std::uint64_t> bytes;  // per partition; nullopt: unlimited
  bool compacted = false;              // keep the newest record of each key (and drop old tombstones) instead
};

struct TopicSpec {
  std::string name;
  std::int32_t partitions = 1;
  Retention retention;
  bool compressed = false;  // text that shrinks: a log that can (Kafka: zstd) compresses it
};

struct TopicInfo {
  std::string name;
  std::int32_t partitions = 0;
  std::uint64_t max_record_bytes = 0;  // largest value (with key and headers) that one record may hold
  Retention retention;
};

// Offsets [begin, end): nothing before `begin` is kept, `end` is the next to be written. Compaction leaves
// holes between.
struct OffsetRange {
  Offset begin;
  Offset end;
};

// Called exactly once for every record that append() took, from a thread of the log's, in offset order per
// partition (among this writer's records): with the record's offset when it is durable, else with why it is
// not in the log. Must not block, must not throw, and must not call back into the writer.
using DeliveryCallback = std::function<void(Result<Offset>)>;

// Appends records. Thread-safe. Records appended to one partition by one thread keep their order.
class LogWriter {
 public:
  virtual ~LogWriter() = default;  // waits for what was appended; then every callback has run

  // Takes the record over; its buffers stay shared until the callback has run. Blocks while
  // `max_pending_bytes` are unacknowledged; a record larger than that goes alone. kTooLarge when it can never
  // fit; kNotFound for an unknown topic or partition; kCancelled once `stop` is requested while waiting for
  // room. On error the callback is not called.
  virtual Result<void> append(const TopicPartition& where, NewRecord record, DeliveryCallback on_delivery,
                              StopToken stop = {}) = 0;

  // Appends and waits for the acknowledgement.
  virtual Result<Offset> append_and_wait(const TopicPartition& where, NewRecord record);

  // Whether a value of several buffers is copied into one before it leaves: who hashes it anyhow saves a pass
  // by doing both at once.
  virtual bool joins_buffers() const { return false; }

  // Returns when everything appended before the call is acknowledged or has failed. The first failure since
  // the last flush() is returned.
  virtual Result<void> flush() = 0;
};

struct LogWriterOptions {
  std::string client_id = "gopline";
  std::size_t max_pending_bytes = 64 << 20;  // keys, values and headers
  // Once `stop` is requested, what waits while no acknowledgement comes for `stop_grace` (counted from the
  // stop, the newest acknowledgement, or the append() to a writer with nothing pending, whichever is latest)
  // fails with kCancelled: a log that is away does not keep a program from ending, and one that answers still
  // gets everything. The embedded and the memory log pass over both: a log on the same machine answers.
  StopToken stop = {};
  Duration stop_grace = std::chrono::seconds(5);
  // What is written shrinks: a log that compresses() does so on the way, with the topic's own codec, else
  // with zstd. Readers get what was written.
  bool compress = false;
};

// Where a reader begins in a partition. What lies before the beginning means the beginning, what lies after
// the end the end.
struct StartPosition {
  enum class Kind { kBeginning, kEnd, kOffset, kTimestamp };
  Kind kind = Kind::kBeginning;
  Offset offset{};        // kOffset: this record or the oldest kept after it
  Timestamp timestamp{};  // kTimestamp: the first record whose timestamp is not before this

  static StartPosition beginning() { return {Kind::kBeginning, {}, {}}; }
  static StartPosition end() { return {Kind::kEnd, {}, {}}; }
  static StartPosition at(Offset offset) { return {Kind::kOffset, offset, {}}; }
  static StartPosition at(Timestamp time) { return {Kind::kTimestamp, {}, time}; }
};

// Reads records of the partitions it is assigned or gets through its group. Not thread-safe, except wakeup().
class LogReader {
 public:
  virtual ~LogReader() = default;

  // Reads exactly these, from here. Replaces an earlier assignment. No group is involved. kNotFound for an
  // unknown topic or partition. A topic that is deleted later makes one poll() fail with kNotFound; the next
  // go on with the rest.
  virtual Result<void> assign(const std::vector<std::pair<TopicPartition, StartPosition>>& partitions) = 0;

  // Joins the group of LogReaderOptions and shares the topics' partitions with its other members. A partition
  // starts at the group's committed offset, else at `first_start`. Members that stay away longer than the
  // session time-out lose theirs; one that comes back joins anew. A member that is destroyed leaves at once,
  // a static one is expected back within its session time-out. kNotFound for an unknown topic; the partitions
  // of one deleted later are revoked.
  virtual Result<void> subscribe(const std::vector<std::string>& topics, StartPosition first_start) = 0;

  // The partitions that are this reader's now.
  virtual std::vector<TopicPartition> assignment() const = 0;

  // The next records in offset order per partition: at once when there are any, else after at most
  // `max_wait`; empty when none came or wakeup() was called. Together at most `max_poll_bytes` of values, but
  // at least one record. Also runs the group's housekeeping, so a member calls it at least every session
  // time-out. kConflict when another reader has joined with the same member id: this one is out for good.
  virtual Result<std::vector<StoredRecord>> poll(Duration max_wait) = 0;

  // Makes a poll() that is waiting, or the next one, return at once. Thread-safe.
  virtual void wakeup() = 0;

  // The offset from which the next poll() reads in a partition that is assigned: after the last record handed
  // out. Where a poll() found that nothing is kept from there to the end (compaction, retention, a log's own
  // marks), it is past those holes, at the end as of then. So a reader whose position has come to an end seen
  // earlier has had all there is before it, and an empty poll() alone says nothing: the log may be away.
  // kNotFound when the partition is not assigned.
  virtual Result<Offset> position(const TopicPartition& where) = 0;

  // Offsets between position() and the partition's end as of now; holes count. kNotFound as position().
  virtual Result<std::int64_t> lag(const TopicPartition& where) = 0;

  // Moves the position in a partition that is assigned.
  virtual Result<void> seek(const TopicPartition& where, StartPosition position) = 0;

  // Durably stores that the group is done with everything before `next`. kConflict when the partition is not
  // this member's any more: somebody else will read those records again. A reader that has assigned may
  // commit while the group is empty.
  virtual Result<void> commit(const TopicPartition& where, Offset next) = 0;

  // What the group has committed, or nullopt.
  virtual Result<std::optional<Offset>> committed(const TopicPartition& where) = 0;
};

struct LogReaderOptions {
  std::string group;      // for subscribe(), commit() and committed()
  std::string member_id;  // static membership: the same id gets its partitions back after a restart; empty: a
                          // random one
  std::size_t max_poll_bytes = 32 << 20;
  Duration session_timeout = std::chrono::seconds(10);
  bool headers_only = false;  // do not read values: a value is empty, a null one null; sizes are unknown
  // Check values against the log's own checksum (Kafka's check.crcs). A reader that verifies what it reads
  // anyhow saves the time.
  bool verify_values = true;
  // Called from poll() when the group takes partitions away (before another member reads them) or gives some.
  std::function<void(const std::vector<TopicPartition>&)> on_revoked;
  std::function<void(const std::vector<TopicPartition>&)> on_assigned;
};

// One log: topics with partitions of records. Thread-safe. Readers and writers must not outlive it.
class Log {
 public:
  virtual ~Log() = default;

  // Creates the topic when it is missing; an existing one is left as it is, whatever the spec says.
  virtual Result<TopicInfo> ensure_topic(const TopicSpec& spec) = 0;
  virtual Result<TopicInfo> describe_topic(const std::string& name) = 0;  // kNotFound when missing
  virtual Result<std::vector<std::string>> list_topics() = 0;
  // Raises the number of partitions. Records stay where they are.
  virtual Result<void> add_partitions(const std::string& name, std::int32_t partitions) = 0;
  virtual Result<void> delete_topic(const std::string& name) = 0;

  virtual Result<OffsetRange> offsets(const TopicPartition& where) = 0;
  // Applies every topic's retention now. (It also happens by itself as records are written.)
  virtual Result<void> apply_retention() = 0;

  virtual Result<std::unique_ptr<LogWriter>> make_writer(LogWriterOptions options) = 0;
  virtual Result<std::unique_ptr<LogReader>> make_reader(LogReaderOptions options) = 0;

  // Whether a reader with headers_only spares the log and the way to it the values. Where it does not, as
  // with Kafka, a reader that has another way to what it looks for takes it.
  virtual bool reads_headers_alone() const { return false; }

  // Values up to this size do not hold up others on their way to this log. Where a connection is shared, what
  // is behind a large record waits for the whole of it, and smaller ones in its place let others pass.
  virtual std::uint64_t comfortable_value_bytes() const { return UINT64_MAX; }

  // Whether LogWriterOptions::compress means something to this log.
  virtual bool compresses() const { return false; }

  // The URL this log was opened by, without secrets: for messages.
  virtual std::string describe() const = 0;
};

// The partition Kafka's default partitioner (Java client) gives a key: murmur2(key) made positive, modulo
// `partitions`.
PartitionId partition_for_key(std::string_view key, std::int32_t partitions);

}  // namespace gopline
