#pragma once
#include <thread>

#include "common/log/contract_test_suite.h"

namespace gopline {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(LogContract, StartsWhereItIsTold) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  auto start = harness_->now();
  for (int i = 0; i < 5; ++i) {
    auto what = record("k", std::to_string(i));
    what.timestamp = start + std::chrono::seconds(10 * i);
    put(where, std::move(what));
  }
  auto first_from = [&](StartPosition position) {
    auto from = reader_of(where, position);
    auto some = from->poll(Duration(0));
    return some->empty() ? std::string("none") : std::string(some->front().value->text());
  };
  EXPECT_EQ(first_from(StartPosition::beginning()), "0");
  EXPECT_EQ(first_from(StartPosition::at(Offset(3))), "3");
  EXPECT_EQ(first_from(StartPosition::at(Offset(-5))), "0");
  EXPECT_EQ(first_from(StartPosition::end()), "none");
  EXPECT_EQ(first_from(StartPosition::at(Offset(99))), "none");
  EXPECT_EQ(first_from(StartPosition::at(start + std::chrono::seconds(20))), "2");
  EXPECT_EQ(first_from(StartPosition::at(start + std::chrono::seconds(21))), "3");
  EXPECT_EQ(first_from(StartPosition::at(start - std::chrono::hours(1))), "0");
  EXPECT_EQ(first_from(StartPosition::at(start + std::chrono::hours(1))), "none");
}

TEST_P(LogContract, FindsTimesThatAreOutOfOrder) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  auto start = harness_->now();
  for (int seconds : {10, 50, 20, 30, 60}) {
    auto what = record("k", std::to_string(seconds));
    what.timestamp = start + std::chrono::seconds(seconds);
    put(where, std::move(what));
  }
  for (auto [wanted, found] : {std::pair(5, "10"), {11, "50"}, {50, "50"}, {51, "60"}}) {
    auto from = reader_of(where, StartPosition::at(start + std::chrono::seconds(wanted)));
    EXPECT_EQ(from->poll(Duration(0))->at(0).value->text(), found) << wanted;
  }
}

TEST_P(LogContract, SeeksWhileReading) {
  make_topic("t", 2);
  const TopicPartition where{"t", PartitionId(0)};
  for (int i = 0; i < 4; ++i) put(where, record("k", std::to_string(i)));
  auto from = reader_of(where);
  EXPECT_EQ(take(*from, 4).size(), 4u);
  ASSERT_TRUE(from->seek(where, StartPosition::at(Offset(2))));
  EXPECT_THAT(values_of(take(*from, 2)), ElementsAre("2", "3"));
  ASSERT_TRUE(from->seek(where, StartPosition::beginning()));
  EXPECT_THAT(values_of(take(*from, 4)), ElementsAre("0", "1", "2", "3"));
  EXPECT_FALSE(from->seek({"t", PartitionId(1)}, StartPosition::beginning()));
}

TEST_P(LogContract, SaysWhereItReadsNext) {
  make_topic("t", 2);
  const TopicPartition where{"t", PartitionId(0)};
  for (int i = 0; i < 4; ++i) put(where, record("k", std::to_string(i)));
  auto from = reader_of(where);
  EXPECT_EQ(from->position(where), Offset(0));
  EXPECT_EQ(from->lag(where), 4);
  take(*from, 4);
  EXPECT_EQ(from->position(where), Offset(4));
  EXPECT_EQ(from->lag(where), 0);
  put(where, record("k", "4"));
  EXPECT_EQ(from->position(where), Offset(4));
  EXPECT_EQ(from->lag(where), 1);
  ASSERT_TRUE(from->seek(where, StartPosition::at(Offset(2))));
  EXPECT_EQ(from->position(where), Offset(2));
  ASSERT_TRUE(from->seek(where, StartPosition::end()));
  EXPECT_EQ(from->position(where), Offset(5));
  ASSERT_TRUE(from->seek(where, StartPosition::beginning()));
  EXPECT_EQ(from->position(where), Offset(0));
  EXPECT_EQ(reader_of(where, StartPosition::end())->position(where), Offset(5));
  EXPECT_EQ(reader_of(where, StartPosition::at(Offset(99)))->position(where), Offset(5));

  const TopicPartition other{"t", PartitionId(1)};
  EXPECT_EQ(from->position(other).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(from->lag(other).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(reader_of(other)->position(other), Offset(0));
}

TEST_P(LogContract, PositionIsAfterWhatAPollHandedOut) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  for (int i = 0; i < 3; ++i) put(where, record("k", std::string(1000, 'x')));
  LogReaderOptions options;
  options.max_poll_bytes = 1;
  auto from = reader_of(where, StartPosition::beginning(), options);
  take(*from, 1);
  EXPECT_EQ(from->position(where), Offset(1));
  EXPECT_EQ(from->lag(where), 2);
}

// How a reader knows that it has read everything, though the last records are gone.
TEST_P(LogContract, PositionPassesHolesAtTheEnd) {
  make_topic("t", 1, {std::nullopt, std::nullopt, true});
  const TopicPartition where{"t", PartitionId(0)};
  put(where, record("a", "a1"));
  put(where, tombstone("b"));
  harness_->advance(std::chrono::hours(48));  // nobody has to see the tombstone any more
  ASSERT_TRUE(log().apply_retention());
  auto end = log().offsets(where)->end;
  auto from = reader_of(where);
  auto until = std::chrono::steady_clock::now() + kPatience;
  std::vector<StoredRecord> seen;
  while (from->position(where).value_or(end) < end && std::chrono::steady_clock::now() < until) {
    auto some = from->poll(std::chrono::milliseconds(100));
    ASSERT_TRUE(some) << some.error().message;
    std::move(some->begin(), some->end(), std::back_inserter(seen));
  }
  EXPECT_EQ(from->position(where), end);
  EXPECT_EQ(from->lag(where), 0);
  if (harness_->exact_retention()) {
    EXPECT_THAT(values_of(seen), ElementsAre("a1"));
  }
  put(where, record("c", "c1"));
  EXPECT_THAT(values_of(take(*from, 1)), ElementsAre("c1"));
}

TEST_P(LogContract, AReaderAtTheEndSeesWhatComes) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  put(where, record("k", "old"));
  auto from = reader_of(where, StartPosition::end());
  std::thread later([&] { put(where, record("k", "new")); });
  EXPECT_THAT(values_of(take(*from, 1)), ElementsAre("new"));
  later.join();
}

TEST_P(LogContract, PollKeepsToItsBytes) {
  make_topic("t", 2);
  for (int i = 0; i < 20; ++i) {
    put({"t", PartitionId(i % 2)}, {"k", BufferChain(test_bytes(100'000, 1)), {}, harness_->now()});
  }
  LogReaderOptions options;
  options.max_poll_bytes = 350'000;
  auto from = reader(options);
  ASSERT_TRUE(from->assign({{{"t", PartitionId(0)}, StartPosition::beginning()},
                            {{"t", PartitionId(1)}, StartPosition::beginning()}}));
  std::size_t seen = 0;
  while (seen < 20) {
    auto some = from->poll(kPatience);
    ASSERT_TRUE(some);
    ASSERT_FALSE(some->empty());
    EXPECT_LE(some->size(), 3u);
    seen += some->size();
  }
  options.max_poll_bytes = 1;  // at least one record, however large
  auto narrow = reader_of({"t", PartitionId(0)}, StartPosition::beginning(), options);
  EXPECT_EQ(narrow->poll(kPatience)->size(), 1u);
}

TEST_P(LogContract, HeadersOnlyReadsNoValues) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  put(where, {"k", BufferChain(test_bytes(1 << 20, 1)), {{"a", "b"}}, harness_->now()});
  put(where, tombstone("k"));
  LogReaderOptions options;
  options.headers_only = true;
  auto records = take(*reader_of(where, StartPosition::beginning(), options), 2);
  ASSERT_EQ(records.size(), 2u);
  ASSERT_TRUE(records[0].value.has_value());
  EXPECT_TRUE(records[0].value->empty());
  EXPECT_EQ(records[0].headers, (Headers{{"a", "b"}}));
  EXPECT_FALSE(records[0].damage);
  EXPECT_FALSE(records[1].value.has_value());
}

TEST_P(LogContract, WakeupEndsAWait) {
  make_topic("t");
  auto from = reader_of({"t", PartitionId(0)});
  from->wakeup();
  EXPECT_THAT(*from->poll(kPatience), IsEmpty());  // the next one returns at once
  std::thread other([&] { from->wakeup(); });
  EXPECT_THAT(*from->poll(kPatience), IsEmpty());
  other.join();
}

TEST_P(LogContract, AssignNeedsWhatExists) {
  make_topic("t");
  auto from = reader();
  EXPECT_EQ(from->assign({{{"t", PartitionId(1)}, StartPosition::beginning()}}).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(from->assign({{{"x", PartitionId(0)}, StartPosition::beginning()}}).error().code,
            ErrorCode::kNotFound);
  EXPECT_THAT(from->assignment(), IsEmpty());
}

TEST_P(LogContract, EveryPartitionGetsItsTurn) {
  make_topic("t", 3);
  for (int partition = 0; partition < 3; ++partition) {
    for (int i = 0; i < 30; ++i) put({"t", PartitionId(partition)}, record("k", std::string(1000, 'x')));
  }
  LogReaderOptions options;
  options.max_poll_bytes = 5000;
  auto from = reader(options);
  std::vector<std::pair<TopicPartition, StartPosition>> all;
  for (int partition = 0; partition < 3; ++partition) {
    all.push_back({{"t", PartitionId(partition)}, StartPosition::beginning()});
  }
  ASSERT_TRUE(from->assign(all));
  std::map<std::int32_t, int> seen;
  for (int polls = 0; polls < 6; ++polls) {
    auto some = from->poll(kPatience);
    ASSERT_TRUE(some);
    for (const auto& record : *some) ++seen[record.where.partition.value];
  }
  EXPECT_EQ(seen.size(), 3u);
}

TEST_P(LogContract, AnotherOpeningSeesRecordsAsTheyCome) {
  auto another = harness_->open_another();
  if (!another) GTEST_SKIP() << "this log lives in one process";
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  auto from = *another->make_reader({});
  ASSERT_TRUE(from->assign({{where, StartPosition::beginning()}}));
  std::thread later([&] {
    for (int i = 0; i < 20; ++i) put(where, record("k", std::to_string(i)));
  });
  EXPECT_EQ(take(*from, 20).size(), 20u);
  later.join();
  auto to = *another->make_writer({});
  EXPECT_EQ(to->append_and_wait(where, record("k", "from there")), Offset(20));
  EXPECT_EQ(all_of(where).back().value->text(), "from there");
}

}  // namespace gopline
