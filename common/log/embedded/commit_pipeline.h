#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "common/log/delivery_queue.h"
#include "common/log/embedded/embedded_log.h"
#include "common/log/embedded/hand_over.h"
#include "common/log/embedded/payload_writer.h"
#include "common/log/embedded/record_rows.h"
#include "common/log/embedded/retention.h"
#include "common/log/embedded/session.h"
#include "common/log/embedded/sqlite.h"
#include "common/log/embedded/tail.h"
#include "common/log/embedded/topic_rows.h"

namespace gopline::embedded {

// A record on its way into the log.
struct Appended {
  std::int64_t topic = 0;
  TopicPartition where;
  NewRecord record;
  DeliveryCallback on_delivery;
  PendingBytes::Share share;
  std::shared_ptr<PendingBytes> pending;
  // Filled in on the way:
  std::int64_t checksum = 0;
  WrittenValue written;
  Result<Offset> outcome = fail(ErrorCode::kInternal, "not delivered");
  bool failed = false;
};

// Takes records to the disk in two steps, each with a thread of its own, so that the next values are being
// written while the ones before are being synced:
//   1. the writing thread copies large values into payload files and has the device begin with them;
//   2. the committing thread takes what has come together, syncs the files they are in, puts the rows into
//      one transaction (which gives the offsets), and then, and only then, calls back. It begins when there
//      is enough for a sync to be worth it, or when the writing thread has nothing left to do.
// Alone, a record waits for nobody; under load, many share one sync. A crash at any point leaves bytes
// without rows.
class CommitPipeline {
 public:
  struct Parts {
    const EmbeddedLogOptions* options;
    std::string session;
    std::mutex* write_turn;
    Tail* tail;
    std::function<void(const std::string&)> on_topic_gone;
    std::function<void()>
        on_unclean_end;  // something could not be closed: the next opening has to look after it
  };
  static Result<std::unique_ptr<CommitPipeline>> start(const Parts& parts);
  ~CommitPipeline();  // finishes what was pushed

  CommitPipeline(const CommitPipeline&) = delete;
  CommitPipeline& operator=(const CommitPipeline&) = delete;

  void push(Appended appended);

 private:
  using Batch = HandOver<Appended>::Batch;

  // What one transaction has found and changed.
  struct Transaction;

  explicit CommitPipeline(const Parts& parts);
  Result<void> prepare();
  void write_values();
  void write_value(Appended& appended);
  void commit_batches();
  static Batch next_batch(Batch& waiting);
  void commit(Batch& batch);
  void sync_files(Batch& batch);
  Result<void> insert(Batch& batch, Transaction& changes);
  Result<void> insert_one(Appended& appended, Transaction& changes);
  Result<PartitionRow*> partition_of(const Appended& appended, Transaction& changes);
  Result<std::int64_t> file_row(PayloadFile& file, Transaction& changes);
  Result<void> update_files(Transaction& changes);
  Result<void> apply_retention(Transaction& changes);
  Result<void> sweep(Transaction& changes);
  void seal_remaining_files();
  void deliver(Batch& batch);

  const Parts parts_;
  sqlite::Database database_;
  TopicRows topics_;
  RecordRows records_;
  RetentionRun retention_;
  sqlite::Statement add_file_, grow_file_, seal_file_;
  PayloadWriter values_;
  std::set<std::shared_ptr<PayloadFile>> live_files_;  // with a row that is not sealed yet
  SteadyTime last_sweep_;
  HandOver<Appended> to_write_, to_commit_;
  std::thread writing_, committing_;
};

}  // namespace gopline::embedded
