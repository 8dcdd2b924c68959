#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/catalog/partition_scan.h"
#include "common/log/log.h"
#include "server/segment_rows.h"

namespace gopline::server {

// The rows of streams in one partition of NS.index, from roll-ups where these tell everything.
//
// Writers roll up at full hours, so the roll-ups of all streams lie together, in the minute after one by the
// records' timestamps: an edge. Edges are read record by record, what lies between two of them is not. An
// epoch that rolled up at both has between its two roll-ups just the entries that the second one counts. If
// those counts, less what the edges showed of them, add up to the number of records between the edges, then
// every one of these is told by a roll-up. If not (a writer died or began, something late or imported was
// written, a clock is wrong), the records between these two edges are read, as all of them are where the
// roll-ups cannot be. So the rows are the same either way, whoever wrote what (docs/decisions/roll-ups.md).
//
// For a log that finds times and reads headers alone at no great cost. Thread-safe.
class RolledIndex {
 public:
  // `log` outlives it. `where`: a partition of NS.index.
  RolledIndex(Log& log, TopicPartition where);

  // What the records [from, to) tell of the stream's segments, in no order, some perhaps twice. The row of an
  // entry that was not read names the roll-up that repeats it.
  Result<std::vector<SegmentRow>> rows(const std::string& stream, Offset from, Offset to,
                                       const StopToken& stop);

 private:
  // What an edge shows of an epoch.
  struct Marks {
    std::optional<Offset> first, last;  // roll-ups
    std::int64_t counted = 0;           // entries, by the first roll-up
    std::int64_t before = 0,
                 after = 0;  // entries before the first, and after the last or where there is none
  };
  struct StreamMarks {
    std::map<EpochNumber, Marks> epochs;
    std::vector<SegmentRow> rows;
  };
  struct Edge {
    Offset begin, end;
    bool is_known = false;  // every record of it is an entry or a roll-up
    std::map<std::string, StreamMarks> streams;
  };

  struct Readers {
    std::unique_ptr<LogReader> times;   // finds offsets of times
    catalog::PartitionScanner headers;  // reads edges
    catalog::PartitionScanner values;   // reads roll-ups
  };

  static bool accounts_for_all_between(const Edge& a, const Edge& b);
  static void note(Edge& edge, const StoredRecord& stored);
  Result<std::vector<SegmentRow>> read_rows(const std::string& stream, Offset from, Offset to,
                                            const StopToken& stop);
  Result<std::optional<Timestamp>> time_of(Offset offset);
  Result<Offset> first_at(Timestamp time);
  Result<std::optional<Edge>> read_edge(Timestamp hour, Offset to);
  Result<std::vector<const Edge*>> edges(Offset from, Offset to, const StopToken& stop);
  static std::size_t expected_rows(const std::string& stream, const std::vector<const Edge*>& edges,
                                   std::int64_t most);
  Result<void> scan(const std::string& stream, Offset from, Offset to, const StopToken& stop,
                    std::vector<SegmentRow>& out);
  bool take_rolled(const std::string& stream, const Edge& a, const Edge& b, std::vector<SegmentRow>& out);
  Result<void> read_roll_up(const std::string& stream, EpochNumber epoch, const Marks& marks,
                            std::vector<SegmentRow>& out);

  Log& log_;
  const TopicPartition where_;
  std::mutex mutex_;
  std::unique_ptr<Readers> readers_;  // while rows are read: each has a cache of its own
  std::map<Timestamp, Edge> edges_;   // by their hour
};

}  // namespace gopline::server
