#include "splitter/live/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "common/base/test_directory.h"
#include "common/bytes/digest.h"

namespace gopline::splitter {
namespace {

using namespace std::chrono_literals;
using record::GapCause;
using record::GapFacts;

Timestamp second(int number) {
  return Timestamp(std::chrono::seconds(1'700'000'000 + number));
}

LiveSegment segment(int number, int sap = 1, std::size_t size = 100) {
  LiveSegment live;
  live.segment.bytes.append(Buffer::copy(std::string(size, 'x')));
  live.segment.sap = sap;
  live.segment.start = number;
  live.time = second(number);
  live.end = second(number + 1);
  return live;
}

// What pops, as words: begin, end, a segment's number, gap FROM-TO.
std::string drained(Outbox& outbox) {
  outbox.close();
  std::string out;
  while (auto item = outbox.pop({})) {
    if (!out.empty()) out += " ";
    auto number = [](Timestamp time) {
      return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time - second(0)).count());
    };
    if (const auto* begin = std::get_if<EpochBegin>(&item->item)) out += begin->repeats ? "again" : "begin";
    if (std::holds_alternative<EpochEnd>(item->item)) out += "end";
    if (const auto* s = std::get_if<LiveSegment>(&item->item)) out += std::to_string(s->segment.start);
    if (const auto* gap = std::get_if<GapFacts>(&item->item)) {
      EXPECT_EQ(gap->cause, GapCause::kOverBudget);
      out += "gap" + number(gap->from) + "-" + number(gap->to) + ":" + std::to_string(gap->bytes);
    }
  }
  return out;
}

TEST(Outbox, KeepsOrder) {
  Outbox outbox({1000});
  outbox.push(EpochBegin{});
  for (int i = 0; i < 3; ++i) outbox.push(segment(i));
  outbox.push(EpochEnd{});
  EXPECT_EQ(outbox.usage().bytes, 300u);
  EXPECT_EQ(drained(outbox), "begin 0 1 2 end");
  EXPECT_EQ(outbox.usage().bytes, 0u);
}

TEST(Outbox, DropsTheOldestGopsWhole) {
  Outbox outbox({500});
  outbox.push(EpochBegin{});
  outbox.push(segment(0));
  outbox.push(segment(1, 0));  // continuations: without 0 they cannot be played
  outbox.push(segment(2, 0));
  for (int i = 3; i < 6; ++i) outbox.push(segment(i));
  auto usage = outbox.usage();
  EXPECT_EQ(usage.bytes, 300u);
  EXPECT_EQ(usage.dropped_segments, 3);
  EXPECT_EQ(usage.dropped_bytes, 300u);
  EXPECT_EQ(drained(outbox), "begin gap0-3:300 3 4 5");
}

TEST(Outbox, GopsInARowAreOneGap) {
  Outbox outbox({200});
  outbox.push(EpochBegin{});
  for (int i = 0; i < 50; ++i) outbox.push(segment(i));
  EXPECT_EQ(drained(outbox), "begin gap0-48:4800 48 49");
}

TEST(Outbox, AGapStaysInItsEpoch) {
  Outbox outbox({100});
  outbox.push(EpochBegin{});
  outbox.push(segment(0));
  outbox.push(EpochEnd{});
  outbox.push(EpochBegin{});
  outbox.push(segment(7));
  outbox.push(segment(8));
  EXPECT_EQ(drained(outbox), "begin gap0-1:100 end begin gap7-8:100 8");
}

TEST(Outbox, ASegmentBeyondTheBoundDoesNotStay) {
  Outbox outbox({50});
  outbox.push(segment(0));
  EXPECT_EQ(drained(outbox), "gap0-1:100");
}

TEST(Outbox, WhatIsPoppedIsNoLongerCounted) {
  Outbox outbox({200});
  outbox.push(segment(0));
  outbox.push(segment(1));
  ASSERT_TRUE(outbox.pop({}));
  outbox.push(segment(2));
  EXPECT_EQ(drained(outbox), "1 2");
}

TEST(Outbox, WaitingEndsWithAStopOrAnItem) {
  Outbox outbox({200});
  StopSource stop;
  std::thread waiting([&] { EXPECT_FALSE(outbox.pop(stop.get_token())); });
  stop.request_stop();
  waiting.join();
  std::thread taking([&] { EXPECT_TRUE(outbox.pop({})); });
  outbox.push(segment(0));
  taking.join();
}

class SpillingOutbox : public ::testing::Test {
 protected:
  std::unique_ptr<Spill> spill() { return Spill::open(folder_.path() + "/cam").value(); }
  TestDirectory folder_;
};

EpochBegin begin(std::string name) {
  EpochBegin begin;
  begin.source.name = std::move(name);
  begin.source.format = "rtsp";
  return begin;
}

TEST_F(SpillingOutbox, WhatDoesNotFitGoesToDiskAndComesBackInOrder) {
  Outbox outbox({200, 1 << 20, 1h}, {}, spill());
  outbox.push(begin("a"));
  for (int i = 0; i < 5; ++i) outbox.push(segment(i));
  EXPECT_GT(outbox.usage().spilled_bytes, 300u);
  EXPECT_EQ(outbox.usage().oldest, second(0));
  outbox.push(EpochEnd{});
  outbox.push(begin("b"));
  outbox.push(segment(7));
  EXPECT_EQ(drained(outbox), "begin 0 1 again 2 3 4 end begin 7");
  EXPECT_EQ(outbox.usage().bytes, 0u);
  EXPECT_EQ(outbox.usage().dropped_bytes, 0u);
}

TEST_F(SpillingOutbox, ASegmentComesBackAsItWas) {
  Outbox outbox({0, 1 << 20, 1h}, {}, spill());
  auto before = segment(3, 2);
  before.segment.content_type = "video/mp4";
  before.segment.init_xxh3 = "0123456789abcdef";
  before.segment.parts = {{1, 10, 90, 180000, 1}};
  before.segment.duration = 180000;
  before.segment.timescale = 90000;
  before.segment.discontinuity = true;
  before.clock = record::CaptureClock::kNtp;
  outbox.push(before);
  auto after = std::get<LiveSegment>(outbox.pop({})->item);
  EXPECT_EQ(xxh3_hex(after.segment.bytes), xxh3_hex(before.segment.bytes));
  EXPECT_EQ(after.segment.content_type, "video/mp4");
  EXPECT_EQ(after.segment.init_xxh3, before.segment.init_xxh3);
  EXPECT_EQ(after.segment.parts.size(), 1u);
  EXPECT_EQ(after.segment.sap, 2);
  EXPECT_TRUE(after.segment.discontinuity);
  EXPECT_EQ(after.segment.timescale, 90000);
  EXPECT_EQ(after.time, before.time);
  EXPECT_EQ(after.end, before.end);
  EXPECT_EQ(after.clock, record::CaptureClock::kNtp);
}

TEST_F(SpillingOutbox, WhatIsNotDoneComesAgainInTheNextRun) {
  {
    Outbox outbox({100, 1 << 20, 1h}, {}, spill());
    outbox.push(begin("a"));
    for (int i = 0; i < 4; ++i) outbox.push(segment(i));
    std::deque<OutboxEntry> popped;
    for (int i = 0; i < 4; ++i) popped.push_back(*outbox.pop({}));  // begin, 0, begin again, 1
    outbox.done(popped.front().number);
    popped.pop_front();
    EXPECT_TRUE(outbox.keep(std::move(popped), begin("a")));
  }
  Outbox next({1 << 20, 1 << 20, 1h}, {}, spill());
  next.push(begin("b"));
  next.push(segment(9));
  EXPECT_EQ(drained(next), "again 0 again 1 2 3 begin 9");
}

TEST_F(SpillingOutbox, KillingTheProgramLosesWhatWasInMemoryAlone) {
  {
    Outbox outbox({100, 1 << 20, 1h}, {}, spill());
    outbox.push(begin("a"));
    for (int i = 0; i < 4; ++i) outbox.push(segment(i));
    while (auto entry = outbox.pop({})) {
      if (const auto* live = std::get_if<LiveSegment>(&entry->item); live && live->segment.start == 2) break;
    }
  }
  Outbox next({100, 1 << 20, 1h}, {}, spill());
  EXPECT_EQ(drained(next), "again 1 2 3");
}

TEST_F(SpillingOutbox, BeyondItsBytesTheOldestGopsLeaveAsOneGap) {
  std::uint64_t one = 0;
  {
    Outbox outbox({0, 1 << 20, 1h}, {}, Spill::open(folder_.path() + "/one").value());
    outbox.push(segment(0));
    one = outbox.usage().spilled_bytes;
  }
  Outbox outbox({0, one * 4, 1h}, {}, spill());
  for (int i = 0; i < 8; ++i) outbox.push(segment(i, i == 1 ? 0 : 1));
  EXPECT_LE(outbox.usage().spilled_bytes, one * 4);
  EXPECT_EQ(outbox.usage().dropped_segments, 5);
  EXPECT_THAT(drained(outbox), ::testing::MatchesRegex("gap0-5:[0-9]+ 5 6 7"));
}

TEST_F(SpillingOutbox, WhatIsTooOldLeaves) {
  Outbox outbox({0, 1 << 20, 3s}, {}, spill());
  for (int i = 0; i < 6; ++i) outbox.push(segment(i));
  EXPECT_THAT(drained(outbox), ::testing::MatchesRegex("gap0-3:[0-9]+ 3 4 5"));
}

TEST_F(SpillingOutbox, AFileThatCannotBeReadIsSetAside) {
  {
    Outbox outbox({0, 1 << 20, 1h}, {}, spill());
    for (int i = 0; i < 3; ++i) outbox.push(segment(i));
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/cam"))
    files.push_back(entry.path());
  std::ranges::sort(files);
  std::ofstream(files[1], std::ios::app) << "x";
  std::ofstream(folder_.path() + "/cam/0000000000000099.item.part") << "half";
  Outbox next({0, 1 << 20, 1h}, {}, spill());
  EXPECT_EQ(drained(next), "0 2");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/cam/0000000000000099.item.part"));
}

TEST_F(SpillingOutbox, AFullDiskDropsWhatIsNew) {
  auto where = spill();
  std::filesystem::remove_all(folder_.path() + "/cam");  // nothing can be written there any more
  Outbox outbox({100, 1 << 20, 1h}, {}, std::move(where));
  outbox.push(segment(0));
  outbox.push(segment(1));
  EXPECT_EQ(outbox.usage().dropped_segments, 1);
  EXPECT_EQ(drained(outbox), "0 gap1-2:100");
}

}  // namespace
}  // namespace gopline::splitter
