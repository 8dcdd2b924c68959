#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "aggregator/stream_item.h"
#include "common/base/clock.h"
#include "common/base/strong_int.h"
#include "common/record/markers.h"

namespace gopline::aggregator {

// How far an epoch is done: everything before these two numbers.
struct EpochProgress {
  std::int64_t segment = 0;
  std::int64_t gap = 0;  // of its gap records
  bool operator==(const EpochProgress&) const = default;
};

struct LaneSegment {
  SegmentData data;
  Offset offset;  // the lowest of its chunks
};
struct LaneGap {
  Absence absence;
  EpochProgress next;            // how far the epoch is done behind it
  std::optional<Offset> offset;  // of the lowest record that tells it; nullopt: what is behind it tells it
};
using LaneItem = std::variant<LaneSegment, LaneGap>;

struct LaneOptions {
  Duration patience = std::chrono::seconds(30);  // for a number that is not there, behind which others are
  std::size_t max_bytes = 64 << 20;              // of segments that wait for it
};

// The segments of one epoch in the order of their numbers, each once, and what is missing between them. A
// number that is not there is waited for as long as something behind it is there and patience lasts; then it
// is a gap. Pure; not thread-safe.
class EpochLane {
 public:
  // `done`: where to go on; nullopt: with whatever comes first.
  EpochLane(EpochNumber epoch, LaneOptions options, std::optional<EpochProgress> done);

  void push(LaneSegment segment, SteadyTime now);
  // A segment that will not become whole: `beginning` is what can be played of it.
  void lose(SegmentNumber number, std::optional<LaneSegment> beginning, LaneGap gap, SteadyTime now);
  // A gap that the writer states, before the segment that it writes next.
  void state(const record::Gap& gap, Offset offset);
  void end();  // nothing more comes: nothing more is waited for

  // What is next, as far as it is known now.
  std::optional<LaneItem> pop(SteadyTime now);

  // Everything before these numbers is done already, whatever was popped.
  void skip_to(EpochProgress done);

  bool is_done(SegmentNumber number) const { return begun_ && number.value < next_.segment; }
  bool empty() const { return waiting_.empty() && stated_.empty(); }
  std::optional<Offset> oldest_offset() const;  // of what has not been popped

 private:
  struct Slot {
    std::optional<LaneSegment> segment;
    std::optional<LaneGap> gap;  // what is missing of it, behind `segment`
    SteadyTime since;
  };

  void insert(std::int64_t number, Slot slot);
  std::optional<LaneItem> pop_slot();
  LaneGap hole(std::int64_t from, std::int64_t to) const;

  EpochNumber epoch_;
  LaneOptions options_;
  bool begun_ = false;
  bool ended_ = false;
  EpochProgress next_;        // to be popped
  std::int64_t highest_ = 0;  // one more than the highest number seen
  std::map<std::int64_t, Slot> waiting_;
  std::multimap<std::int64_t, LaneGap> stated_;  // by the number of the segment that they precede
  std::size_t waiting_bytes_ = 0;
};

}  // namespace gopline::aggregator
