#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/catalog/stream_directory.h"
#include "common/log/log.h"
#include "common/record/markers.h"
#include "common/record/topics.h"
#include "server/rolled_index.h"
#include "server/segment_rows.h"

namespace gopline::server {

// A stream as it is now.
struct StreamView {
  record::StreamState state;              // as NS.streams has it: its writer tells now and then
  std::optional<Timestamp> last_time;     // where its newest segment ends; the index tells at once
  std::optional<Timestamp> last_written;  // the writer's clock, of the newest that it wrote
};

// How the catalogue gets on with the log.
struct LogHealth {
  bool is_read = true;             // the newest look at it succeeded
  std::string problem;             // what it said, if not
  std::optional<Timestamp> since;  // when that began; nullopt: it has been so since the start
  std::optional<std::int64_t>
      behind;  // index records that are there and not taken yet; nullopt: nobody knows
};

// What there is to look at, kept up to date by following NS.streams and NS.index on a thread of its own.
// Opening reads NS.streams alone. The segments of a stream are known from when somebody first asks for them,
// as far back as was asked, and are forgotten again when nobody asks any more: memory grows with what is
// looked at. Thread-safe.
class StreamCatalog {
 public:
  // `log` and `clock` outlive the catalogue. A namespace without topics has no streams until it has.
  static Result<std::unique_ptr<StreamCatalog>> open(Log& log, const Clock& clock, record::Topics topics);
  ~StreamCatalog();  // joins its thread

  std::vector<StreamView> streams() const;                   // by id
  Result<StreamView> find(const std::string& stream) const;  // kNotFound

  // Asks the log where its index ends.
  LogHealth health() const;

  // The stream's segments whose capture times lie at or after `since` (nullopt: all), and perhaps more.
  // Blocks while the index is read. Grows by itself as long as it is held.
  Result<std::shared_ptr<const SegmentRows>> segments(const std::string& stream,
                                                      std::optional<Timestamp> since, const StopToken& stop);

  // Calls `listener`, from the catalogue's thread, with the streams of which something new is known, until
  // the subscription is destroyed, which waits for a call that is being made. It must not block.
  using Listener = std::function<void(const std::set<std::string>& streams)>;
  std::shared_ptr<void> subscribe(Listener listener);

  Log& log() const { return log_; }
  const record::Topics& topics() const { return topics_; }

 private:
  struct Known {  // of one stream
    std::optional<Timestamp> last_time, last_written;
    Ordinal ordinal{-1};
  };
  struct Loaded {
    std::shared_ptr<SegmentRows> rows = std::make_shared<SegmentRows>();
    std::mutex loading;
    Offset from{};  // everything of the stream from here on in NS.index is in `rows`; guarded by `loading`
    Offset kept{};  // what lies before it was forgotten; guarded by `loading`
    SteadyTime used{};
  };
  struct Rolled {
    std::shared_ptr<RolledIndex> index;
    SteadyTime used{};
  };
  struct Listeners;

  StreamCatalog(Log& log, const Clock& clock, record::Topics topics);
  Result<void> refresh_directory();
  Result<bool> begin_following();
  void follow(const StopToken& stop);
  void note_health(const Result<bool>& looked);
  Result<bool> follow_once(const StopToken& stop);
  void take(const std::vector<StoredRecord>& records, std::set<std::string>& changed);
  void forget_unused();
  Result<std::shared_ptr<Loaded>> loaded(const std::string& stream, PartitionId partition);
  std::shared_ptr<RolledIndex> rolled(const TopicPartition& where);
  Result<std::vector<SegmentRow>> read_rows(const std::string& stream, const TopicPartition& where,
                                            Offset from, Offset to, const StopToken& stop);
  Result<Offset> index_offset_of(const record::StreamState& state, std::optional<Timestamp> since);

  Log& log_;
  const Clock& clock_;
  const record::Topics topics_;
  std::unique_ptr<LogReader> reader_;                  // of the catalogue's thread
  std::optional<catalog::StreamDirectory> directory_;  // of the catalogue's thread
  SteadyTime looked_at_directory_{};
  bool directory_changed_ = false;

  mutable std::mutex mutex_;
  std::map<std::string, record::StreamState> states_;
  std::map<std::string, Known> known_;
  std::map<std::string, std::shared_ptr<Loaded>> loaded_;
  std::map<PartitionId, Rolled> rolled_;
  LogHealth health_;
  std::map<PartitionId, Offset> tail_;  // of NS.index: what lies before it has been taken
  std::shared_ptr<Listeners> listeners_;
  std::jthread thread_;
};

}  // namespace gopline::server
