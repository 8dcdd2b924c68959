#pragma once
#include "common/log/contract_test_suite.h"

namespace gopline {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_P(LogContract, TopicsAreMadeOnceAndDescribed) {
  make_topic("a", 3, {std::chrono::hours(1), 1'000'000, false});
  auto again = log().ensure_topic({"a", 7, {}});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->partitions, 3);
  make_topic("b", 1, {std::nullopt, std::nullopt, true});
  EXPECT_THAT(*log().list_topics(), UnorderedElementsAre("a", "b"));
  auto info = *log().describe_topic("a");
  EXPECT_EQ(info.retention.age, std::chrono::hours(1));
  EXPECT_EQ(info.retention.bytes, 1'000'000u);
  EXPECT_FALSE(info.retention.compacted);
  EXPECT_GE(info.max_record_bytes, 64u << 20);
  EXPECT_TRUE(log().describe_topic("b")->retention.compacted);
  EXPECT_EQ(log().describe_topic("c").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log().offsets({"a", PartitionId(3)}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log().offsets({"c", PartitionId(0)}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log().delete_topic("c").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log().add_partitions("c", 2).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log().ensure_topic({"", 1, {}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(log().ensure_topic({"d", 0, {}}).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(LogContract, TopicsOutliveARestart) {
  make_topic("a", 2, {std::chrono::hours(1), std::nullopt, false});
  reopen();
  auto info = log().describe_topic("a");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->partitions, 2);
  EXPECT_EQ(info->retention.age, std::chrono::hours(1));
}

TEST_P(LogContract, PartitionsCanBeAdded) {
  make_topic("t", 1);
  put({"t", PartitionId(0)}, record("k", "before"));
  ASSERT_TRUE(log().add_partitions("t", 3));
  EXPECT_EQ(log().add_partitions("t", 2).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(put({"t", PartitionId(2)}, record("k", "after")), Offset(0));
  EXPECT_THAT(values_of(all_of({"t", PartitionId(0)})), ElementsAre("before"));
  EXPECT_THAT(values_of(all_of({"t", PartitionId(2)})), ElementsAre("after"));
}

TEST_P(LogContract, ATopicDeletedUnderItsReaderIsToldOnce) {
  make_topic("gone");
  make_topic("stays");
  put({"gone", PartitionId(0)}, record("k", "v"));
  auto from = reader();
  ASSERT_TRUE(from->assign({{{"gone", PartitionId(0)}, StartPosition::beginning()},
                            {{"stays", PartitionId(0)}, StartPosition::beginning()}}));
  EXPECT_EQ(take(*from, 1).size(), 1u);
  ASSERT_TRUE(log().delete_topic("gone"));
  EXPECT_THAT(*log().list_topics(), ElementsAre("stays"));
  auto until = std::chrono::steady_clock::now() + kPatience;
  bool told = false;
  while (!told && std::chrono::steady_clock::now() < until) {
    auto some = from->poll(std::chrono::milliseconds(100));
    told = !some && some.error().code == ErrorCode::kNotFound;
  }
  EXPECT_TRUE(told);
  put({"stays", PartitionId(0)}, record("k", "still here"));
  EXPECT_THAT(values_of(take(*from, 1)), ElementsAre("still here"));

  auto to = writer();
  EXPECT_FALSE(to->append_and_wait({"gone", PartitionId(0)}, record("k", "v")));
  make_topic("gone");
  EXPECT_EQ(to->append_and_wait({"gone", PartitionId(0)}, record("k", "anew")), Offset(0));
}

TEST_P(LogContract, OffsetsSayWhatIsThere) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  EXPECT_EQ(log().offsets(where)->begin, Offset(0));
  EXPECT_EQ(log().offsets(where)->end, Offset(0));
  put(where, record("k", "v"));
  EXPECT_EQ(log().offsets(where)->end, Offset(1));
}

TEST_P(LogContract, RetentionByAgeDropsAPrefix) {
  make_topic("t", 1, {std::chrono::hours(1), std::nullopt, false});
  const TopicPartition where{"t", PartitionId(0)};
  for (int i = 0; i < 3; ++i) put(where, {"k", BufferChain(test_bytes(50'000, 1)), {}, harness_->now()});
  auto reading = reader_of(where);
  harness_->advance(std::chrono::hours(2));
  put(where, record("k", "young"));
  put(where, {"k",
              BufferChain(Buffer::copy("old, behind a young one")),
              {},
              harness_->now() - std::chrono::hours(3)});
  ASSERT_TRUE(log().apply_retention());
  if (!harness_->exact_retention()) return;
  EXPECT_EQ(log().offsets(where)->begin, Offset(3));
  EXPECT_THAT(values_of(all_of(where)), ElementsAre("young", "old, behind a young one"));
  EXPECT_THAT(values_of(take(*reading, 2)), ElementsAre("young", "old, behind a young one"));
  auto behind = reader_of(where, StartPosition::at(Offset(1)));
  EXPECT_EQ(behind->poll(kPatience)->at(0).offset, Offset(3));
  harness_->advance(std::chrono::hours(2));
  ASSERT_TRUE(log().apply_retention());
  EXPECT_EQ(log().offsets(where)->begin, Offset(5));
  EXPECT_EQ(put(where, record("k", "next")), Offset(5));
}

TEST_P(LogContract, RetentionByBytesKeepsAtLeastThatMuch) {
  make_topic("t", 2, {std::nullopt, 300'000, false});
  const TopicPartition where{"t", PartitionId(0)};
  put({"t", PartitionId(1)}, record("k", "untouched"));
  for (int i = 0; i < 10; ++i) put(where, {"", BufferChain(test_bytes(100'000, 1)), {}, harness_->now()});
  ASSERT_TRUE(log().apply_retention());
  auto kept = all_of(where);
  EXPECT_GE(kept.size(), 3u);
  EXPECT_EQ(kept.back().offset, Offset(9));
  if (harness_->exact_retention()) {
    EXPECT_EQ(kept.size(), 3u);
    EXPECT_EQ(log().offsets(where)->begin, Offset(7));
  }
  EXPECT_EQ(all_of({"t", PartitionId(1)}).size(), 1u);
}

TEST_P(LogContract, CompactionKeepsTheNewestOfEachKey) {
  make_topic("t", 1, {std::nullopt, std::nullopt, true});
  const TopicPartition where{"t", PartitionId(0)};
  put(where, record("a", "a1"));
  put(where, record("b", "b1"));
  put(where, record("a", "a2"));
  put(where, tombstone("b"));
  put(where, {"c", BufferChain(test_bytes(100'000, 1)), {}, harness_->now()});
  put(where, record("c", "c2"));
  ASSERT_TRUE(log().apply_retention());
  std::map<std::string, std::string> newest;
  for (const auto& record : all_of(where))
    newest[record.key] = record.value ? record.value->text() : "(null)";
  EXPECT_EQ(newest["a"], "a2");
  EXPECT_EQ(newest["c"], "c2");
  if (!harness_->exact_retention()) return;
  EXPECT_THAT(offsets_of(all_of(where)), ElementsAre(2, 3, 5));
  EXPECT_EQ(reader_of(where, StartPosition::at(Offset(4)))->poll(kPatience)->at(0).offset, Offset(5));
  harness_->advance(std::chrono::hours(48));  // readers have had time to see the tombstone
  put(where, record("d", "d1"));
  ASSERT_TRUE(log().apply_retention());
  EXPECT_THAT(offsets_of(all_of(where)), ElementsAre(2, 5, 6));
}

}  // namespace gopline
