#include "server/rolled_index.h"

#include <random>
#include <set>

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "common/log/memory_log.h"
#include "common/record/event_type.h"
#include "server/api_json.h"
#include "server/entry_cache.h"
#include "server/test_rows.h"
#include "server/timeline.h"

// Histories of an index, written as writers do and with all that goes wrong, read by roll-ups and entry by
// entry.
namespace gopline::server {
namespace {

constexpr Duration kSegment = 20s;
constexpr std::size_t kTooSmall = 500;  // for a roll-up's columns

struct RecordedCamera {
  std::string stream;
  EpochNumber epoch;
  std::int64_t segment = 0, ordinal = 0;
  Timestamp time;  // of the next segment
  std::optional<record::GapFacts> gap;
  std::string hour;
  std::vector<record::IndexEntry> entries;  // of that hour
};

class History {
 public:
  explicit History(unsigned seed, int faults_in_thousand) : random_(seed), faults_(faults_in_thousand) {
    EXPECT_TRUE(log.ensure_topic({where.topic, 1, {}}));
    writer_ = *log.make_writer({});
  }

  void record(int cameras, Duration length) {
    for (int i = 0; i < cameras; ++i) {
      cameras_.push_back({fmt::format("camera-{}", i), next_epoch(), 0, 0, kStart + i * 1s, {}, {}, {}});
    }
    for (;;) {
      auto next = std::min_element(cameras_.begin(), cameras_.end(),
                                   [](const auto& a, const auto& b) { return a.time < b.time; });
      if (next->time >= kStart + length) return;
      if (happens()) fault(*next);
      write_segment(*next, next->time + kSegment + 300ms);
    }
  }

  // Read entry by entry.
  std::vector<SegmentRow> entries_of(const std::string& stream, Offset from = Offset(0)) const {
    std::vector<SegmentRow> rows;
    for (const auto& stored : log.records(where)) {
      if (stored.key != stream || stored.offset < from) continue;
      if (auto row = row_from(stored)) rows.push_back(*row);
    }
    return rows;
  }
  bool is_roll_up(Offset offset) const { return roll_ups_.contains(offset); }
  const std::set<Offset>& roll_ups() const { return roll_ups_; }
  Offset end() { return log.offsets(where)->end; }
  std::set<std::string> streams() const {
    std::set<std::string> names;
    for (const auto& stored : log.records(where)) names.insert(stored.key);
    return names;
  }

  MemoryLog log;
  const TopicPartition where{"gopline.index", PartitionId(0)};

 private:
  int upto(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
  bool happens() { return upto(999) < faults_; }
  EpochNumber next_epoch() { return EpochNumber(epochs_++); }

  Offset append(record::Encoded encoded, Timestamp at) {
    NewRecord made;
    made.key = std::move(encoded.key);
    made.headers = std::move(encoded.headers);
    made.value = BufferChain(std::move(encoded.value));
    made.timestamp = at;
    return *writer_->append_and_wait(where, std::move(made));
  }

  void write_segment(RecordedCamera& camera, Timestamp at, bool late = false) {
    auto made = *entry({Offset(0), camera.epoch, SegmentNumber(camera.segment), Ordinal(camera.ordinal),
                        camera.time, kSegment, late});
    made.stream = camera.stream;
    made.parts = {{1, 100, 900, made.duration, 1}};
    made.gap = std::exchange(camera.gap, {});
    auto hour = format_hour(made.time);
    if (camera.hour.empty()) camera.hour = hour;
    if (hour > camera.hour) {
      roll_up(camera, at, late);
      camera.hour = hour;
    }
    append(record::encode(made), at);
    if (happens()) append(record::encode(made), at);  // healed by another
    camera.entries.push_back(std::move(made));
    ++camera.segment;
    ++camera.ordinal;
    camera.time += kSegment;
  }

  void roll_up(RecordedCamera& camera, Timestamp at, bool late) {
    auto entries = std::exchange(camera.entries, {});
    if (entries.empty() || happens()) return;
    record::IndexHour hour;
    hour.stream = camera.stream;
    hour.writer = entries.front().writer;
    hour.epoch = camera.epoch;
    hour.hour = camera.hour;
    hour.from = entries.front().time;
    hour.to = entries.back().end_time();
    hour.segments = std::ssize(entries);
    hour.late = late;
    hour.entries = std::move(entries);
    auto whole = record::encode(hour);
    auto limit = !happens() ? SIZE_MAX : upto(1) ? kTooSmall : whole.value.size() - 1;
    auto offset = append(record::encode(hour, limit), at);
    roll_ups_.insert(offset);
    if (happens()) log.flip_byte(where, offset, 300);
    if (happens()) log.damage(where, offset, {ErrorCode::kCorrupt, "the disk forgot it"});
  }

  void fault(RecordedCamera& camera) {
    auto at = camera.time + kSegment;
    switch (upto(8)) {
      case 0:
      case 1: {  // an outage
        auto from = camera.time;
        camera.time += upto(1) ? Duration(upto(60) * 1s) : Duration(upto(180) * 1min);
        camera.gap = record::GapFacts{record::GapCause::kSourceOutage, from, camera.time, 0};
        break;
      }
      case 2:  // a writer that ended, or died
        if (upto(1)) roll_up(camera, at, false);
        camera.entries.clear();
        camera.hour.clear();
        camera.epoch = next_epoch();
        camera.segment = 0;
        break;
      case 3: {  // spilled footage of long ago
        RecordedCamera spill{camera.stream, next_epoch(), 0, 5, camera.time - upto(300) * 1min, {}, {}, {}};
        for (int count = upto(300); count >= 0; --count) write_segment(spill, at, true);
        if (upto(1)) roll_up(spill, at, true);
        break;
      }
      case 4:  // a clock that was corrected
        camera.time -= upto(90) * 1s;
        break;
      case 5: {  // an import
        RecordedCamera file{"import", next_epoch(), 0, 5, kStart - upto(300) * 1min, {}, {}, {}};
        for (int count = upto(400); count >= 0; --count) write_segment(file, at);
        roll_up(file, at, false);
        break;
      }
      case 6: {  // of a version to come
        auto later = record::encode(*entry(row(1, 1, 0s)));
        for (auto& header : later.headers) {
          if (header.name == "ce_type") header.value = upto(1) ? "gopline.index.v2" : "gopline.index.day.v1";
        }
        append(std::move(later), at);
        break;
      }
      case 7:
        if (!roll_ups_.empty())
          log.drop_record(where, *std::next(roll_ups_.begin(), upto(static_cast<int>(roll_ups_.size()) - 1)));
        break;
      default: {  // an entry whose headers are damaged
        auto damaged = record::encode(*entry(row(1, 1, 0s)));
        std::erase_if(damaged.headers, [](const auto& header) { return header.name == "ce_time"; });
        append(std::move(damaged), at);
      }
    }
  }

  std::mt19937 random_;
  const int faults_;
  std::unique_ptr<LogWriter> writer_;
  std::vector<RecordedCamera> cameras_;
  std::int64_t epochs_ = 0;
  std::set<Offset> roll_ups_;
};

std::vector<SegmentRow> in_order(std::vector<SegmentRow> rows) {
  SegmentRows all;
  all.add(std::move(rows));
  return all.between({}, {});
}

std::vector<SegmentRow> without_places(std::vector<SegmentRow> rows) {
  for (auto& row : rows) row.entry = Offset(0);
  return rows;
}

// As the API tells it.
std::string told(History& history, const std::vector<SegmentRow>& rows, Duration resolution) {
  EntryCache cache(history.log, history.where.topic);
  auto timeline = timeline_of(rows, resolution);
  std::vector<SegmentRow> behind;
  for (const auto& gap : timeline.gaps) behind.push_back(rows[gap.before]);
  auto entries = *cache.get(history.where.partition, behind, {});
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i]) explain(timeline.gaps[i], *entries[i]);
  }
  return timeline_json("", timeline);
}

TEST(RolledIndex, reads_hours_out_of_roll_ups) {
  History history(1, 0);
  history.record(4, 12h);
  RolledIndex index(history.log, history.where);
  auto rows = index.rows("camera-1", Offset(0), history.end(), {});
  ASSERT_TRUE(rows) << rows.error().message;
  auto got = in_order(*rows), expected = in_order(history.entries_of("camera-1"));
  EXPECT_EQ(without_places(got), without_places(expected));
  auto rolled = std::ranges::count_if(got, [&](const auto& row) { return history.is_roll_up(row.entry); });
  EXPECT_GT(rolled, 10 * 170);  // of 180 an hour
  EntryCache cache(history.log, history.where.topic);
  auto entries = *cache.get(history.where.partition, got, {});
  auto own = *cache.get(history.where.partition, expected, {});
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(*entries[i], *own[i]);
}

TEST(RolledIndex, tells_the_same_as_the_entries_whatever_happened) {
  std::size_t rolled = 0, all = 0;
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    History history(seed, static_cast<int>(seed % 4) * 2);
    history.record(3, 6h);
    RolledIndex index(history.log, history.where);
    for (const auto& stream : history.streams()) {
      for (auto from : {Offset(0), Offset(history.end().value / 3)}) {
        auto rows = index.rows(stream, from, history.end(), {});
        ASSERT_TRUE(rows) << rows.error().message;
        auto got = in_order(*rows), expected = in_order(history.entries_of(stream, from));
        rolled += static_cast<std::size_t>(
            std::ranges::count_if(got, [&](const auto& row) { return history.is_roll_up(row.entry); }));
        all += got.size();
        ASSERT_EQ(without_places(got), without_places(expected)) << stream;
        for (auto resolution : {Duration(0), Duration(10min)})
          EXPECT_EQ(told(history, got, resolution), told(history, expected, resolution)) << stream;
      }
    }
  }
  EXPECT_GT(rolled, all / 8);
}

TEST(RolledIndex, an_hour_whose_roll_up_is_damaged_is_read_from_its_entries) {
  for (bool is_missing : {false, true}) {
    History history(1, 0);
    history.record(4, 6h);
    auto expected = without_places(in_order(history.entries_of("camera-1")));
    for (auto offset : history.roll_ups()) {
      if (is_missing)
        history.log.drop_record(history.where, offset);
      else
        history.log.flip_byte(history.where, offset, 1000);
    }
    RolledIndex index(history.log, history.where);
    auto rows = index.rows("camera-1", Offset(0), history.end(), {});
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_TRUE(std::ranges::none_of(*rows, [&](const auto& row) { return history.is_roll_up(row.entry); }));
    EXPECT_EQ(without_places(in_order(*rows)), expected);
  }
}

TEST(RolledIndex, what_retention_has_taken_is_not_told) {
  History history(1, 0);
  history.record(4, 6h);
  RolledIndex index(history.log, history.where);
  ASSERT_TRUE(index.rows("camera-1", Offset(0), history.end(), {}));
  auto kept = Offset(history.end().value / 2);
  history.log.trim(history.where, kept);
  auto rows = index.rows("camera-1", Offset(0), history.end(), {});
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(without_places(in_order(*rows)), without_places(in_order(history.entries_of("camera-1", kept))));
}

TEST(RolledIndex, reading_stops_when_nobody_waits_any_more) {
  History history(1, 0);
  history.record(4, 3h);
  RolledIndex index(history.log, history.where);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(index.rows("camera-1", Offset(0), history.end(), stop.get_token()).error().code,
            ErrorCode::kCancelled);
}

}  // namespace
}  // namespace gopline::server
