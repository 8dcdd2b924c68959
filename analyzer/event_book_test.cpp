#include "analyzer/event_book.h"

#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::analyzer {
namespace {

using record::EventPhase;

const record::AnalyzerIdentity kIdentity{"motion", "1", "0123456789abcdef"};

Frame frame(std::int64_t segment, std::int64_t number) {
  Frame one;
  one.stream = "door";
  one.epoch = EpochNumber(17);
  one.segment = SegmentNumber(segment);
  one.number = number;
  one.pts = {number * 512, 12800};
  one.time = kNoon + std::chrono::milliseconds(40 * number);
  return one;
}

Finding finding(std::int64_t object, EventPhase phase) {
  Finding one;
  one.object = object;
  one.phase = phase;
  one.class_name = "motion";
  return one;
}

TEST(EventBook, AnEventIsNamedByWhereItStarted) {
  EventBook book(kIdentity, {});
  book.turn_to(frame(3, 5));
  book.tell(finding(1, EventPhase::kStart));
  book.tell(finding(2, EventPhase::kStart));
  book.turn_to(frame(4, 1));
  book.tell(finding(1, EventPhase::kUpdate));
  book.tell(finding(2, EventPhase::kEnd));
  book.tell(finding(1, EventPhase::kEnd));
  auto told = book.take();
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told[0].event, "17-3-5-motion.01234567-0");
  EXPECT_EQ(told[1].event, "17-3-5-motion.01234567-1");
  EXPECT_EQ(told[2].event, told[0].event);
  EXPECT_EQ(told[3].event, told[1].event);
  EXPECT_EQ(told[4].number, 2);
  EXPECT_EQ(told[4].segment, SegmentNumber(4));
  EXPECT_EQ(told[4].started, frame(3, 5).time);
  EXPECT_EQ(book.open(), 0u);
  EXPECT_TRUE(book.take().empty());
}

TEST(EventBook, WhatHasNotBegunDoesNotGoOn) {
  EventBook book(kIdentity, {});
  book.turn_to(frame(0, 0));
  book.tell(finding(1, EventPhase::kEnd));
  book.tell(finding(1, EventPhase::kStart));
  book.tell(finding(1, EventPhase::kStart));
  EXPECT_EQ(book.take().size(), 1u);
  book.clear();
  book.tell(finding(1, EventPhase::kUpdate));
  EXPECT_TRUE(book.take().empty()) << "forgotten";
}

TEST(EventBook, AnObjectThatComesAgainIsAnotherEvent) {
  EventBook book(kIdentity, {});
  book.turn_to(frame(0, 0));
  for (int i = 0; i < 2; ++i) {
    book.tell(finding(1, EventPhase::kStart));
    book.tell(finding(1, EventPhase::kEnd));
  }
  auto told = book.take();
  ASSERT_EQ(told.size(), 4u);
  EXPECT_NE(told[0].event, told[2].event);
}

TEST(EventBook, APartsEventsAreItsOwn) {
  EventBook book(kIdentity, {});
  record::AnalyzerIdentity part{"people", "2", "fedcba9876543210"};
  book.turn_to(frame(3, 5));
  book.tell(finding(1, EventPhase::kStart));
  auto found = finding(2, EventPhase::kStart);
  found.finder = &part;
  found.incomplete = {"plates"};
  book.tell(found);
  auto told = book.take();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].event, "17-3-5-people.fedcba98-0") << "what others found at the picture does not count";
  EXPECT_EQ(told[1].analyzer, part);
  EXPECT_EQ(told[1].incomplete, std::vector<std::string>{"plates"});
  EXPECT_EQ(told[0].analyzer, kIdentity);
}

}  // namespace
}  // namespace gopline::analyzer
