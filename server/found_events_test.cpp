#include "server/found_events.h"

#include <gmock/gmock.h>

#include <thread>

#include "common/base/test_time.h"
#include "common/log/memory_log.h"

namespace gopline::server {
namespace {

using namespace std::chrono_literals;
using record::EventPhase;
using ::testing::ElementsAre;
using ::testing::Pair;

class Books : public ::testing::Test {
 protected:
  Books() {
    EXPECT_TRUE(log_.ensure_topic({topics_.events, 1, {}}));
    writer_ = *log_.make_writer({});
  }

  void write(const std::string& event, std::int64_t number, EventPhase phase, Duration from, Duration at,
             double x = 0.5) {
    record::Detection found;
    found.stream = "door";
    found.event = event;
    found.number = number;
    found.phase = phase;
    found.pts = {0, 1000};
    found.time = kNoon + at;
    found.started = kNoon + from;
    found.class_name = "motion";
    found.score = x;
    found.box = {x, 0.1, 0.2, 0.3};
    found.analyzer = {"motion", "1", "0123456789abcdef"};
    auto encoded = record::encode(found);
    NewRecord record{encoded.key, BufferChain(encoded.value), encoded.headers, kNoon};
    EXPECT_TRUE(writer_->append_and_wait({topics_.events, PartitionId(0)}, std::move(record)));
  }

  // Once `condition` holds for what the found has of the stream.
  template <typename Condition>
  EventsOfStream await(FoundEvents& found, Condition condition) {
    for (;;) {
      auto known = found.between("door", {}, {}, 100);
      if (condition(known)) return known;
      std::this_thread::yield();
    }
  }
  static std::vector<std::string> ids(const EventsOfStream& known) {
    std::vector<std::string> ids;
    for (const auto& event : known.events) ids.push_back(event.id);
    return ids;
  }

  MemoryLog log_;
  record::Topics topics_ = record::topics_of();
  std::unique_ptr<LogWriter> writer_;
};

constexpr auto is_complete = [](const EventsOfStream& known) { return known.is_complete; };

TEST_F(Books, RecordsOfAnEventAreOne) {
  write("a", 0, EventPhase::kStart, 1s, 1300ms, 0.1);
  write("a", 1, EventPhase::kUpdate, 1s, 2s, 0.3);
  write("a", 2, EventPhase::kEnd, 1s, 4s, 0.2);
  write("b", 0, EventPhase::kStart, 2s, 2s);
  FoundEvents found(log_, topics_);
  auto known = await(found, is_complete);
  ASSERT_THAT(ids(known), ElementsAre("a", "b"));
  const auto& a = known.events[0];
  EXPECT_EQ(a.from, kNoon + 1s);
  EXPECT_EQ(a.to, kNoon + 4s);
  EXPECT_TRUE(a.ended);
  EXPECT_FALSE(known.events[1].ended);
  EXPECT_EQ(a.score, 0.3);
  EXPECT_THAT(a.boxes, ElementsAre(Pair(kNoon + 1300ms, record::PictureBox{0.1, 0.1, 0.2, 0.3}),
                                   Pair(kNoon + 2s, record::PictureBox{0.3, 0.1, 0.2, 0.3}),
                                   Pair(kNoon + 4s, record::PictureBox{0.2, 0.1, 0.2, 0.3})));
  EXPECT_EQ(a.analyzer, "motion");
}

TEST_F(Books, WhatLiesInTheIntervalIsToldAndTheNewestOfTooMany) {
  for (int i = 0; i < 5; ++i) write(std::to_string(i), 0, EventPhase::kStart, i * 10s, i * 10s + 5s);
  FoundEvents found(log_, topics_);
  await(found, is_complete);
  EXPECT_THAT(ids(found.between("door", kNoon + 14s, kNoon + 30s, 100)), ElementsAre("1", "2"));
  EXPECT_THAT(ids(found.between("door", kNoon + 16s, {}, 100)), ElementsAre("2", "3", "4"));
  auto few = found.between("door", {}, {}, 2);
  EXPECT_THAT(ids(few), ElementsAre("3", "4"));
  EXPECT_FALSE(few.is_complete);
  EXPECT_THAT(ids(found.between("window", {}, {}, 2)), ElementsAre());
}

TEST_F(Books, WhatIsFoundLaterIsKnownLater) {
  FoundEvents found(log_, topics_);
  await(found, is_complete);
  write("a", 0, EventPhase::kStart, 1s, 1s);
  await(found, [](const auto& known) { return known.events.size() == 1; });
  write("a", 1, EventPhase::kEnd, 1s, 2s);
  await(found, [](const auto& known) { return known.events[0].ended; });
}

TEST_F(Books, TheOldestAreForgottenAndThatIsSaid) {
  for (int i = 0; i < 5; ++i) write(std::to_string(i), 0, EventPhase::kStart, i * 10s, i * 10s);
  FoundEvents found(log_, topics_, 3 * (sizeof(FoundEvent) + 100));
  auto known =
      await(found, [](const auto& all) { return !all.events.empty() && all.events.back().id == "4"; });
  EXPECT_THAT(ids(known), ElementsAre("2", "3", "4"));
  EXPECT_FALSE(known.is_complete);
}

}  // namespace
}  // namespace gopline::server
