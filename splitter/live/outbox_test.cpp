#include "splitter/live/outbox.h"

#include <gtest/gtest.h>

#include <thread>

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
    if (std::holds_alternative<EpochBegin>(*item)) out += "begin";
    if (std::holds_alternative<EpochEnd>(*item)) out += "end";
    if (const auto* s = std::get_if<LiveSegment>(&*item)) out += std::to_string(s->segment.start);
    if (const auto* gap = std::get_if<GapFacts>(&*item)) {
      EXPECT_EQ(gap->cause, GapCause::kOverBudget);
      out += "gap" + number(gap->from) + "-" + number(gap->to) + ":" + std::to_string(gap->bytes);
    }
  }
  return out;
}

TEST(Outbox, KeepsOrder) {
  Outbox outbox(1000);
  outbox.push(EpochBegin{});
  for (int i = 0; i < 3; ++i) outbox.push(segment(i));
  outbox.push(EpochEnd{});
  EXPECT_EQ(outbox.usage().bytes, 300u);
  EXPECT_EQ(drained(outbox), "begin 0 1 2 end");
  EXPECT_EQ(outbox.usage().bytes, 0u);
}

TEST(Outbox, DropsTheOldestGopsWhole) {
  Outbox outbox(500);
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
  Outbox outbox(200);
  outbox.push(EpochBegin{});
  for (int i = 0; i < 50; ++i) outbox.push(segment(i));
  EXPECT_EQ(drained(outbox), "begin gap0-48:4800 48 49");
}

TEST(Outbox, AGapStaysInItsEpoch) {
  Outbox outbox(100);
  outbox.push(EpochBegin{});
  outbox.push(segment(0));
  outbox.push(EpochEnd{});
  outbox.push(EpochBegin{});
  outbox.push(segment(7));
  outbox.push(segment(8));
  EXPECT_EQ(drained(outbox), "begin gap0-1:100 end begin gap7-8:100 8");
}

TEST(Outbox, ASegmentBeyondTheBoundDoesNotStay) {
  Outbox outbox(50);
  outbox.push(segment(0));
  EXPECT_EQ(drained(outbox), "gap0-1:100");
}

TEST(Outbox, WhatIsPoppedIsNoLongerCounted) {
  Outbox outbox(200);
  outbox.push(segment(0));
  outbox.push(segment(1));
  ASSERT_TRUE(outbox.pop({}));
  outbox.push(segment(2));
  EXPECT_EQ(drained(outbox), "1 2");
}

TEST(Outbox, WaitingEndsWithAStopOrAnItem) {
  Outbox outbox(200);
  StopSource stop;
  std::thread waiting([&] { EXPECT_FALSE(outbox.pop(stop.get_token())); });
  stop.request_stop();
  waiting.join();
  std::thread taking([&] { EXPECT_TRUE(outbox.pop({})); });
  outbox.push(segment(0));
  taking.join();
}

}  // namespace
}  // namespace gopline::splitter
