#include <cstdlib>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "common/base/test_directory.h"
#include "common/log/contract_test_suite.h"
#include "common/log/embedded/embedded_log.h"
#include "common/log/embedded/fault_layer.h"
#include "common/log/embedded/test_child.h"

// Processes that are killed, and power that goes: nothing acknowledged may be lost, nothing may be damaged.
namespace gopline::embedded {
namespace {

bool long_run() {
  return std::getenv("GOPLINE_TEST_LONG") != nullptr;
}

// One log is written, killed in the middle, and checked, over and over: so repair after repair has to be
// right.
TEST(Crash, KillingAWriterLosesNothingAcknowledged) {
  TestDirectory directory;
  auto path = directory.path() + "/log";
  std::mt19937 random(20'261'122);
  std::vector<Acknowledged> acknowledged;
  const int rounds = long_run() ? 300 : 6;
  for (int round = 0; round < rounds; ++round) {
    TestChild child("write", path, static_cast<std::uint64_t>(round) * 1'000'000, 1'000'000);
    Acknowledged one{};
    for (auto left = random() % 60; left > 0 && child.next(one); --left) acknowledged.push_back(one);
    child.kill();
    while (child.next(one)) acknowledged.push_back(one);
    child.wait();
    expect_whole(path, acknowledged);
    if (testing::Test::HasFailure()) FAIL() << "in round " << round;
  }
  EXPECT_FALSE(acknowledged.empty());
}

TEST(Crash, AWriterGoesOnWhileItsNeighbourIsKilled) {
  TestDirectory directory;
  auto path = directory.path() + "/log";
  std::vector<Acknowledged> acknowledged;
  Acknowledged one{};
  const std::uint64_t count = long_run() ? 5000 : 150;
  TestChild survivor("write", path, 0, count);
  for (int victims = 0; victims < 3; ++victims) {
    TestChild victim("write", path, 1'000'000 + static_cast<std::uint64_t>(victims) * 1'000'000, 1'000'000);
    for (int left = 20; left > 0 && victim.next(one); --left) acknowledged.push_back(one);
    victim.kill();
    while (victim.next(one)) acknowledged.push_back(one);
  }
  std::size_t of_survivor = 0;
  for (; survivor.next(one); ++of_survivor) acknowledged.push_back(one);
  EXPECT_EQ(survivor.wait(), 0);
  EXPECT_EQ(of_survivor, count);
  expect_whole(path, acknowledged);
}

TEST(Crash, SeveralProcessesWriteWhileAnotherReads) {
  TestDirectory directory;
  auto path = directory.path() + "/log";
  EmbeddedLogOptions options;
  options.directory = path;
  auto log = *open_embedded_log(options);
  ASSERT_TRUE(log->ensure_topic({"t", 2, {}}));
  auto reader = *log->make_reader({});
  ASSERT_TRUE(reader->assign({{{"t", PartitionId(0)}, StartPosition::beginning()},
                              {{"t", PartitionId(1)}, StartPosition::beginning()}}));
  constexpr std::uint64_t kEach = 60;
  TestChild a("write", path, 0, kEach), b("write", path, 1'000'000, kEach),
      c("write", path, 2'000'000, kEach);
  std::size_t seen = 0;
  std::map<std::pair<std::int32_t, std::string>, std::int64_t> last_seed;  // by partition and writer
  while (seen < 3 * kEach) {
    auto records = reader->poll(kPatience);
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_FALSE(records->empty()) << "after " << seen;
    for (const auto& record : *records) {
      EXPECT_EQ(fault_of(record), "");
      auto seed = std::stoll(std::string(*find_header(record.headers, "seed")));
      auto& last = last_seed.try_emplace({record.where.partition.value, record.key}, -1).first->second;
      EXPECT_GT(seed, last);
      last = seed;
    }
    seen += records->size();
  }
  for (auto* child : {&a, &b, &c}) EXPECT_EQ(child->wait(), 0);
}

TEST(Crash, AKilledMembersPartitionsGoToTheOthers) {
  TestDirectory directory;
  auto path = directory.path() + "/log";
  EmbeddedLogOptions options;
  options.directory = path;
  auto log = *open_embedded_log(options);
  ASSERT_TRUE(log->ensure_topic({"t", 2, {}}));
  auto writer = *log->make_writer({});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(writer->append_and_wait({"t", PartitionId(i % 2)},
                                        {"k", BufferChain(Buffer::copy("v")), {}, Timestamp{}}));
  }
  TestChild member("read", path, 0, 0);
  Acknowledged one{};
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(member.next(one));  // it has joined and has both partitions
  member.kill();
  member.wait();
  LogReaderOptions reading;
  reading.group = "g";
  reading.session_timeout = std::chrono::seconds(1);
  auto heir = *log->make_reader(reading);
  ASSERT_TRUE(heir->subscribe({"t"}, StartPosition::beginning()));
  std::size_t seen = 0;
  while (seen < 10) {
    auto records = heir->poll(kPatience);
    ASSERT_TRUE(records);
    ASSERT_FALSE(records->empty());
    seen += records->size();
  }
  EXPECT_EQ(heir->assignment().size(), 2u);
}

// Writes through a layer that knows what a disk would hold if the power went now; at many of its changes,
// that is taken for a log and opened.
class PowerCut : public ::testing::TestWithParam<bool> {
 protected:
  void run(std::uint64_t every);

 private:
  void cut(const std::string& root);

  std::shared_ptr<FaultLayer> layer_ = std::make_shared<FaultLayer>();
  std::mutex mutex_;
  std::vector<Acknowledged> acknowledged_;
  std::mt19937 random_{7};
};

void PowerCut::cut(const std::string& root) {
  std::vector<Acknowledged> acknowledged;
  {
    std::lock_guard lock(mutex_);
    acknowledged = acknowledged_;
  }
  TestDirectory left;
  layer_->model().leave_in(root, left.path(), GetParam() ? &random_ : nullptr);
  if (acknowledged.empty() && !std::filesystem::exists(left.path() + "/catalogue.db")) return;
  expect_whole(left.path(), acknowledged);
}

void PowerCut::run(std::uint64_t every) {
  TestDirectory directory;
  auto root = directory.path() + "/log";
  EmbeddedLogOptions options;
  options.directory = root;
  options.file_system = layer_;
  options.payload_file_bytes = 400'000;
  layer_->on_every_change([&] {
    if (layer_->changes() % every == 0 && !HasFailure()) cut(root);
  });
  for (std::uint64_t opening = 0; opening < 2; ++opening) {
    auto log = open_embedded_log(options);
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE((*log)->ensure_topic({"t", 2, {}}));
    auto writer = *(*log)->make_writer({});
    for (auto seed = opening * 100; seed < opening * 100 + 24; ++seed) {
      auto partition = static_cast<std::int32_t>(seed % 2);
      ASSERT_TRUE(writer->append(
          {"t", PartitionId(partition)},
          {"k", BufferChain(value_of_seed(seed)), {{"seed", std::to_string(seed)}}, Timestamp{}},
          [this, partition, seed](Result<Offset> offset) {
            ASSERT_TRUE(offset);
            std::lock_guard lock(mutex_);
            acknowledged_.push_back({partition, offset->value, seed});
          }));
      if (seed % 4 == 3) {
        ASSERT_TRUE(writer->flush());
      }
    }
  }
  EXPECT_EQ(acknowledged_.size(), 48u);
  EXPECT_GT(layer_->changes(), 100u);
}

TEST_P(PowerCut, LosesNothingAcknowledged) {
  run(long_run() ? 1 : 9);
}

INSTANTIATE_TEST_SUITE_P(Crash, PowerCut, testing::Values(false, true), [](const auto& given) {
  return given.param ? "UnsyncedBytesSurviveByChance" : "UnsyncedBytesAreGone";
});

}  // namespace
}  // namespace gopline::embedded
