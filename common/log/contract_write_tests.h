#pragma once
#include <atomic>
#include <future>
#include <thread>

#include "common/log/contract_test_suite.h"

namespace gopline {

using ::testing::ElementsAre;

TEST_P(LogContract, KeepsTheOrderOfAPartition) {
  make_topic("t", 2);
  auto to = writer();
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(to->append({"t", PartitionId(i % 2)}, record("k", std::to_string(i)), nullptr));
  }
  ASSERT_TRUE(to->flush());
  for (int partition = 0; partition < 2; ++partition) {
    auto records = all_of({"t", PartitionId(partition)});
    ASSERT_EQ(records.size(), 250u);
    for (std::size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(records[i].offset.value, static_cast<std::int64_t>(i));
      EXPECT_EQ(records[i].value->text(), std::to_string(2 * i + static_cast<std::size_t>(partition)));
    }
  }
}

TEST_P(LogContract, WhatIsAcknowledgedIsThereAfterReopening) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  auto large = test_bytes(3 << 20, 1);
  EXPECT_EQ(put(where, record("a", "small")), Offset(0));
  EXPECT_EQ(put(where, {"b", BufferChain(large), {{"name", "value"}}, harness_->now()}), Offset(1));
  reopen();
  auto records = all_of(where);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].value->text(), "small");
  EXPECT_EQ(*records[1].value, large);
  EXPECT_EQ(records[1].headers, (Headers{{"name", "value"}}));
  EXPECT_EQ(put(where, record("c", "after")), Offset(2));
}

TEST_P(LogContract, WhatIsCompressedComesBackAsItWas) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  LogWriterOptions options;
  options.compress = true;
  auto compressing = log().make_writer(options).value();
  auto text = std::string(100'000, 'x');
  ASSERT_TRUE(compressing->append_and_wait(where, record("k", text)));
  put(where, record("k", "plain"));
  ASSERT_TRUE(compressing->append_and_wait(where, record("k", "")));
  auto records = all_of(where);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].value->text(), text);
  EXPECT_EQ(records[1].value->text(), "plain");
  EXPECT_EQ(records[2].value->text(), "");
}

TEST_P(LogContract, NullAndEmptyValuesAreDifferent) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  put(where, tombstone("k"));
  put(where, {"k", BufferChain(), {}, harness_->now()});
  put(where, {"", BufferChain(Buffer::copy("v")), {}, harness_->now()});
  auto records = all_of(where);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_FALSE(records[0].value.has_value());
  ASSERT_TRUE(records[1].value.has_value());
  EXPECT_TRUE(records[1].value->empty());
  EXPECT_EQ(records[2].key, "");
}

TEST_P(LogContract, KeepsHeadersKeysAndTimestampsAsTheyAre) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  std::string binary("\0\xff\r\n", 4);
  Headers headers{{"ce_type", "gopline.segment.v1"}, {"repeated", "1"}, {"repeated", "2"}, {"empty", ""},
                  {"Straße", "Überwachung 監視"},    {"binary", binary}};
  // Kafka keeps milliseconds.
  auto time = std::chrono::time_point_cast<std::chrono::milliseconds>(harness_->now());
  put(where, {"site-7/door-2 \xc3\xa9", BufferChain(Buffer::copy(binary)), headers, time});
  auto records = all_of(where);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].headers, headers);
  EXPECT_EQ(records[0].key, "site-7/door-2 \xc3\xa9");
  EXPECT_EQ(records[0].value->text(), binary);
  EXPECT_EQ(records[0].timestamp, time);
  EXPECT_EQ(find_header(records[0].headers, "repeated"), "1");
}

TEST_P(LogContract, JoinsAChainOfManyBuffers) {
  make_topic("t");
  BufferChain chain;
  std::string whole;
  for (int i = 0; i < 3000; ++i) {
    auto piece = test_bytes(1 + static_cast<std::size_t>(i) % 97, static_cast<std::uint64_t>(i));
    whole += piece.text();
    chain.append(piece);
  }
  put({"t", PartitionId(0)}, {"k", chain, {}, harness_->now()});
  EXPECT_EQ(all_of({"t", PartitionId(0)}).at(0).value->text(), whole);
}

TEST_P(LogContract, TakesLargeRecords) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  auto large = test_bytes(64 << 20, 7);
  put(where, {"k", BufferChain(large), {}, harness_->now()});
  put(where, record("k", "after"));
  auto records = all_of(where);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(*records[0].value, large);
  EXPECT_GE(records[0].pinned_bytes, large.size());
  EXPECT_EQ(records[1].value->text(), "after");
}

TEST_P(LogContract, RefusesWhatIsTooLargeOrUnknown) {
  make_topic("t");
  auto to = writer();
  bool called = false;
  auto callback = [&](Result<Offset>) { called = true; };
  EXPECT_EQ(to->append({"t", PartitionId(1)}, record("k", "v"), callback).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(to->append({"t", PartitionId(-1)}, record("k", "v"), callback).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(to->append({"other", PartitionId(0)}, record("k", "v"), callback).error().code,
            ErrorCode::kNotFound);
  auto most = log().describe_topic("t")->max_record_bytes;
  BufferChain huge;
  auto piece = test_bytes(1 << 20, 1);
  while (huge.size() <= most) huge.append(piece);
  EXPECT_EQ(to->append({"t", PartitionId(0)}, {"k", huge, {}, harness_->now()}, callback).error().code,
            ErrorCode::kTooLarge);
  EXPECT_TRUE(to->flush());
  EXPECT_FALSE(called);
}

TEST_P(LogContract, CallsBackOnceInOffsetOrder) {
  make_topic("t");
  constexpr int kCount = 400;
  std::vector<std::int64_t> offsets;  // callbacks of one partition come one after the other
  {
    auto to = writer();
    for (int i = 0; i < kCount; ++i) {
      auto value = i % 50 == 0 ? BufferChain(test_bytes(100'000, 3)) : BufferChain(Buffer::copy("small"));
      ASSERT_TRUE(
          to->append({"t", PartitionId(0)}, {"k", value, {}, harness_->now()},
                     [&](Result<Offset> offset) { offsets.push_back(offset.value_or(Offset(-1)).value); }));
    }
  }  // the writer's end waits for them all
  ASSERT_EQ(offsets.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(offsets[static_cast<std::size_t>(i)], i);
}

TEST_P(LogContract, BlocksWhileTooMuchIsUnacknowledged) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  std::promise<void> let_go;
  auto gate = let_go.get_future().share();
  auto to = writer(1000);
  // Not allowed to a callback, but the surest way to hold an acknowledgement back.
  ASSERT_TRUE(to->append(where, record("k", std::string(900, 'x')), [gate](Result<Offset>) { gate.wait(); }));
  StopSource stop;
  std::promise<Result<void>> blocked;
  std::thread second([&] {
    blocked.set_value(to->append(where, record("k", std::string(900, 'y')), nullptr, stop.get_token()));
  });
  auto outcome = blocked.get_future();
  EXPECT_EQ(outcome.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  stop.request_stop();
  EXPECT_EQ(outcome.get().error().code, ErrorCode::kCancelled);
  second.join();

  std::atomic<bool> third_is_in = false;
  std::thread third([&] {
    EXPECT_TRUE(to->append(where, record("k", std::string(900, 'z')), nullptr));
    third_is_in = true;
  });
  EXPECT_FALSE(third_is_in);
  let_go.set_value();
  third.join();
  EXPECT_TRUE(to->flush());
  EXPECT_EQ(all_of(where).size(), 2u);
}

TEST_P(LogContract, ARecordLargerThanTheBudgetGoesAlone) {
  make_topic("t");
  auto to = writer(1000);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(to->append({"t", PartitionId(0)}, record("k", std::string(5000, 'x')), nullptr));
  }
  ASSERT_TRUE(to->flush());
  EXPECT_EQ(all_of({"t", PartitionId(0)}).size(), 3u);
}

TEST_P(LogContract, SeveralWritersShareOnePartition) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  constexpr int kWriters = 4, kEach = 100;
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      auto to = writer();
      for (int i = 0; i < kEach; ++i) {
        ASSERT_TRUE(to->append(where, record(std::to_string(w), std::to_string(i)), nullptr));
      }
      EXPECT_TRUE(to->flush());
    });
  }
  for (auto& thread : threads) thread.join();
  auto records = all_of(where);
  ASSERT_EQ(records.size(), static_cast<std::size_t>(kWriters * kEach));
  std::map<std::string, int> next;
  for (const auto& record : records) EXPECT_EQ(record.value->text(), std::to_string(next[record.key]++));
}

// Partitions are acknowledged apart, so as many answers as were asked for are not yet the right ones.
TEST_P(LogContract, FlushWaitsForItsOwnAndNotForAsMany) {
  make_topic("large");
  make_topic("small");
  auto to = writer();
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> delivered = 0;
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(to->append({"large", PartitionId(0)},
                             {"k", BufferChain(test_bytes(8 << 20, 1)), {}, harness_->now()},
                             [&](Result<Offset>) { ++delivered; }));
    }
    std::atomic<bool> ended = false;
    std::thread busy([&] {
      while (!ended) EXPECT_TRUE(to->append_and_wait({"small", PartitionId(0)}, record("k", "v")));
    });
    EXPECT_TRUE(to->flush());
    EXPECT_EQ(delivered, 4);
    ended = true;
    busy.join();
  }
}

TEST_P(LogContract, FlushWaitsForEverything) {
  make_topic("t");
  std::atomic<int> delivered = 0;
  auto to = writer();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(to->append({"t", PartitionId(0)}, record("k", "v"), [&](Result<Offset>) { ++delivered; }));
  }
  ASSERT_TRUE(to->flush());
  EXPECT_EQ(delivered, 100);
}

}  // namespace gopline
