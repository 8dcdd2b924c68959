#include "analyzer/event_book.h"

#include <gtest/gtest.h>

#include "common/base/test_time.h"
#include "common/media/frames/still_image.h"
#include "common/media/frames/test_pictures.h"

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

// ---- thumbnails

std::optional<record::Thumbnail> thumbnail_by(const ThumbnailOptions& options, ThumbnailStats& stats) {
  EventBook book(kIdentity, options);
  auto shown = frame(0, 0);
  shown.decoded = media::test_picture(640, 480);
  book.turn_to(shown);
  book.tell(finding(1, EventPhase::kStart));
  stats = book.thumbnails();
  return book.take().front().thumbnail;
}

TEST(Thumbnails, OneThatFitsStaysAsItIs) {
  ThumbnailStats stats;
  auto thumbnail = thumbnail_by({320, 100'000, false}, stats);
  ASSERT_TRUE(thumbnail);
  EXPECT_EQ(media::read_still_image(thumbnail->data)->picture.width(), 320);
  EXPECT_EQ(stats.smaller + stats.left_out, 0);
}

TEST(Thumbnails, OneThatIsTooLargeIsMadeSmallerOrLeftOutAndCounted) {
  ThumbnailStats stats;
  auto whole = thumbnail_by({320, 100'000, false}, stats)->data.size();
  auto smaller = thumbnail_by({320, whole - 1, false}, stats);
  ASSERT_TRUE(smaller);
  EXPECT_EQ(media::read_still_image(smaller->data)->picture.width(), 160);
  EXPECT_EQ(stats.smaller, 1);
  EXPECT_FALSE(thumbnail_by({320, 100, false}, stats));
  EXPECT_EQ(stats.left_out, 1);
}

TEST(Thumbnails, OneThatMayLieElsewhereIsKeptWhole) {
  ThumbnailStats stats;
  auto thumbnail = thumbnail_by({320, 100, true}, stats);
  ASSERT_TRUE(thumbnail);
  EXPECT_EQ(media::read_still_image(thumbnail->data)->picture.width(), 320);
  EXPECT_EQ(stats.smaller + stats.left_out, 0);
}

}  // namespace
}  // namespace gopline::analyzer
