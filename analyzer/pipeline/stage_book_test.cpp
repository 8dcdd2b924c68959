#include "analyzer/pipeline/stage_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

using record::EventPhase;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Finding word_of(std::int64_t object, EventPhase phase) {
  Finding finding;
  finding.object = object;
  finding.phase = phase;
  return finding;
}

std::vector<std::pair<std::int64_t, EventPhase>> words(const std::vector<Finding>& told) {
  std::vector<std::pair<std::int64_t, EventPhase>> out;
  for (const auto& one : told) out.emplace_back(one.object, one.phase);
  return out;
}

TEST(StageBook, GivesNamesThatNoOtherStageGives) {
  StageBook first(0, 2), second(1, 2);
  for (auto* book : {&first, &second})
    EXPECT_EQ(book->take({word_of(7, EventPhase::kStart), word_of(8, EventPhase::kStart)}).size(), 2u);
  EXPECT_EQ(first.open().at(7).object, 0);
  EXPECT_EQ(first.open().at(8).object, 2);
  EXPECT_EQ(second.open().at(7).object, 1);
  EXPECT_EQ(second.open().at(8).object, 3);
}

TEST(StageBook, AnEventGoesFromStartToEnd) {
  StageBook book(0, 1);
  auto told = book.take({word_of(7, EventPhase::kStart), word_of(7, EventPhase::kUpdate),
                         word_of(7, EventPhase::kEnd), word_of(7, EventPhase::kStart)});
  EXPECT_THAT(words(told), ElementsAre(std::pair(0, EventPhase::kStart), std::pair(0, EventPhase::kUpdate),
                                       std::pair(0, EventPhase::kEnd), std::pair(1, EventPhase::kStart)));
}

TEST(StageBook, WhatWasEndedForAStageBeginsAnewWhenItGoesOn) {
  StageBook book(0, 1);
  book.take({word_of(7, EventPhase::kStart), word_of(8, EventPhase::kStart)});
  EXPECT_THAT(words(book.end_all()),
              ElementsAre(std::pair(0, EventPhase::kEnd), std::pair(1, EventPhase::kEnd)));
  EXPECT_THAT(book.open(), IsEmpty());
  auto told = book.take({word_of(7, EventPhase::kUpdate), word_of(8, EventPhase::kEnd)});
  EXPECT_THAT(words(told), ElementsAre(std::pair(2, EventPhase::kStart))) << "the other had ended before";
}

TEST(StageBook, OfWhatComesTooLateOnlyEndsAreTold) {
  StageBook book(0, 1);
  book.take({word_of(7, EventPhase::kStart)});
  auto told = book.take_late({word_of(7, EventPhase::kEnd), word_of(8, EventPhase::kStart)});
  EXPECT_THAT(words(told), ElementsAre(std::pair(0, EventPhase::kEnd)));
  EXPECT_THAT(words(book.take({word_of(8, EventPhase::kUpdate)})),
              ElementsAre(std::pair(1, EventPhase::kStart)))
      << "what nobody heard of the start of starts with the next word of it";
}

}  // namespace
}  // namespace gopline::analyzer
