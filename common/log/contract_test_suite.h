#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/log/log.h"

// What every log has to do, as tests. A log's own test program includes contract_tests.h, and instantiates
// the suite with how to make the log:
//   INSTANTIATE_TEST_SUITE_P(Mine, LogContract, testing::Values(ContractParam{"Mine", make_harness}));
namespace gopline {

// A log under test, and the world around it.
class LogHarness {
 public:
  virtual ~LogHarness() = default;
  virtual Log& log() = 0;
  // Closes the log and opens it again. Readers and writers are gone by then.
  virtual void reopen() = 0;
  // The same log opened once more, as another process would; nullptr when there is no such thing.
  virtual std::unique_ptr<Log> open_another() = 0;
  // Lets the log's time pass: session time-outs, ages of records.
  virtual void advance(Duration by) = 0;
  virtual Timestamp now() = 0;
  // Whether retention keeps no record longer than it must. (Kafka drops whole segments.)
  virtual bool exact_retention() const { return true; }
};

struct ContractParam {
  std::string name;
  std::function<std::unique_ptr<LogHarness>()> make;
};
inline void PrintTo(const ContractParam& param, std::ostream* out) {
  *out << param.name;
}

// Long enough for any machine; a test that waits so long has failed.
inline constexpr Duration kPatience = std::chrono::seconds(60);

class LogContract : public ::testing::TestWithParam<ContractParam> {
 protected:
  void SetUp() override {
    harness_ = GetParam().make();
    ASSERT_TRUE(harness_);
  }
  Log& log() { return harness_->log(); }

  void make_topic(const std::string& name, std::int32_t partitions = 1, Retention retention = {}) {
    auto made = log().ensure_topic({name, partitions, retention});
    ASSERT_TRUE(made) << made.error().message;
  }
  std::unique_ptr<LogWriter> writer(std::size_t max_pending_bytes = 64 << 20) {
    auto made = log().make_writer({"test", max_pending_bytes});
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  std::unique_ptr<LogReader> reader(LogReaderOptions options = {}) {
    auto made = log().make_reader(std::move(options));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  std::unique_ptr<LogReader> reader_of(const TopicPartition& where,
                                       StartPosition start = StartPosition::beginning(),
                                       LogReaderOptions options = {}) {
    auto made = reader(std::move(options));
    auto assigned = made->assign({{where, start}});
    EXPECT_TRUE(assigned) << assigned.error().message;
    return made;
  }
  NewRecord record(std::string key, std::string_view value) {
    return {std::move(key), BufferChain(Buffer::copy(value)), {}, harness_->now()};
  }
  NewRecord tombstone(std::string key) { return {std::move(key), std::nullopt, {}, harness_->now()}; }

  // Appends and waits; fails the test when that fails.
  Offset put(const TopicPartition& where, NewRecord what) {
    if (!shared_writer_) shared_writer_ = writer();
    auto offset = shared_writer_->append_and_wait(where, std::move(what));
    EXPECT_TRUE(offset) << offset.error().message;
    return offset.value_or(Offset(-1));
  }
  void reopen() {
    shared_writer_.reset();
    harness_->reopen();
  }

  // Polls until `count` records have come or patience ends.
  static std::vector<StoredRecord> take(LogReader& from, std::size_t count) {
    std::vector<StoredRecord> all;
    auto until = std::chrono::steady_clock::now() + kPatience;
    while (all.size() < count && std::chrono::steady_clock::now() < until) {
      auto some = from.poll(std::chrono::seconds(1));
      EXPECT_TRUE(some) << some.error().message;
      if (!some) break;
      std::move(some->begin(), some->end(), std::back_inserter(all));
    }
    return all;
  }
  // Everything that is there now, from the beginning.
  std::vector<StoredRecord> all_of(const TopicPartition& where) {
    auto from = reader_of(where);
    std::vector<StoredRecord> all;
    while (true) {
      auto some = from->poll(Duration(0));
      EXPECT_TRUE(some) << some.error().message;
      if (!some || some->empty()) return all;
      std::move(some->begin(), some->end(), std::back_inserter(all));
    }
  }
  static std::vector<std::string> values_of(const std::vector<StoredRecord>& records) {
    std::vector<std::string> values;
    for (const auto& record : records) values.emplace_back(record.value ? record.value->text() : "(null)");
    return values;
  }
  static std::vector<std::int64_t> offsets_of(const std::vector<StoredRecord>& records) {
    std::vector<std::int64_t> offsets;
    for (const auto& record : records) offsets.push_back(record.offset.value);
    return offsets;
  }

  std::unique_ptr<LogHarness> harness_;
  std::unique_ptr<LogWriter> shared_writer_;
};

// Large bytes that differ everywhere and are the same every time.
inline Buffer test_bytes(std::size_t size, std::uint64_t seed) {
  std::vector<std::uint8_t> bytes(size);
  auto state = seed * 0x9e3779b97f4a7c15u + 1;
  for (auto& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<std::uint8_t>(state >> 32);
  }
  return Buffer::take(std::move(bytes));
}

}  // namespace gopline
