#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "common/base/test_directory.h"
#include "common/log/contract_test_suite.h"
#include "common/log/embedded/embedded_log.h"
#include "common/log/embedded/fault_layer.h"
#include "common/log/embedded/test_child.h"

// Disks that are full or fail, and files that somebody has cut, changed or removed.
namespace gopline::embedded {
namespace {

using ::testing::HasSubstr;

const TopicPartition kWhere{"t", PartitionId(0)};

class EmbeddedFaults : public ::testing::Test {
 protected:
  std::unique_ptr<Log> open(std::shared_ptr<FileSystem> files = make_posix_file_system()) {
    auto log = try_open(std::move(files));
    EXPECT_TRUE(log) << log.error().message;
    EXPECT_TRUE((*log)->ensure_topic({"t", 1, {}}));
    return std::move(*log);
  }
  Result<std::unique_ptr<Log>> try_open(std::shared_ptr<FileSystem> files = make_posix_file_system()) {
    options_.directory = path_;
    options_.file_system = std::move(files);
    return open_embedded_log(options_);
  }
  static NewRecord seeded(std::uint64_t seed) {
    return {"k", BufferChain(value_of_seed(seed)), {{"seed", std::to_string(seed)}}, Timestamp{}};
  }
  // Records of 300 kB, with these seeds.
  void write_three(Log& log) {
    auto writer = *log.make_writer({});
    for (std::uint64_t seed : {6, 14, 22}) ASSERT_TRUE(writer->append_and_wait(kWhere, seeded(seed)));
  }
  // With the log closed again before `harm`.
  void open_and_write_then(const std::function<void()>& harm) {
    {
      auto log = open();
      write_three(*log);
    }
    harm();
  }
  static std::vector<StoredRecord> read_all(Log& log, LogReaderOptions options = {}) {
    auto reader = *log.make_reader(std::move(options));
    EXPECT_TRUE(reader->assign({{kWhere, StartPosition::beginning()}}));
    std::vector<StoredRecord> all;
    while (true) {
      auto some = reader->poll(Duration(0));
      EXPECT_TRUE(some) << some.error().message;
      if (!some || some->empty()) return all;
      std::move(some->begin(), some->end(), std::back_inserter(all));
    }
  }
  std::string payload_file() const {
    for (const auto& entry : std::filesystem::directory_iterator(path_ + "/payload"))
      return entry.path().string();
    return {};
  }
  std::size_t payload_files() const {
    std::filesystem::directory_iterator all(path_ + "/payload"), end;
    return static_cast<std::size_t>(std::distance(all, end));
  }
  void sql(const char* statement) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((path_ + "/catalogue.db").c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, statement, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }
  static void overwrite(const std::string& path, std::uint64_t position, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(position));
    file << bytes;
  }

  TestDirectory directory_;
  std::string path_ = directory_.path() + "/log";
  EmbeddedLogOptions options_;
};

TEST_F(EmbeddedFaults, AShortPayloadFileDamagesWhatItLacksAndNothingElse) {
  auto log = open();
  write_three(*log);
  std::filesystem::resize_file(payload_file(), 400'000);
  write_three(*log);
  auto records = read_all(*log);
  ASSERT_EQ(records.size(), 6u);
  EXPECT_EQ(fault_of(records[0]), "");
  ASSERT_TRUE(records[1].damage);
  EXPECT_EQ(records[1].damage->code, ErrorCode::kCorrupt);
  EXPECT_THAT(records[1].damage->message, HasSubstr("record 1 of \"t\", partition 0"));
  EXPECT_TRUE(records[1].value->empty());
  for (auto at : {3u, 4u, 5u}) EXPECT_EQ(fault_of(records[at]), "");
}

TEST_F(EmbeddedFaults, AnAlteredPayloadFileIsNoticed) {
  auto log = open();
  write_three(*log);
  overwrite(payload_file(), 350'000, "altered");
  auto records = read_all(*log);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(fault_of(records[0]), "");
  EXPECT_THAT(records[1].damage->message, HasSubstr("checksum"));
  EXPECT_EQ(fault_of(records[2]), "");
  LogReaderOptions trusting;
  trusting.verify_values = false;
  EXPECT_FALSE(read_all(*log, trusting)[1].damage);
}

TEST_F(EmbeddedFaults, AMissingPayloadFileDamagesItsRecords) {
  open_and_write_then([&] { std::filesystem::remove(payload_file()); });
  auto log = open();
  auto records = read_all(*log);
  ASSERT_EQ(records.size(), 3u);
  for (const auto& record : records) EXPECT_TRUE(record.damage);
  write_three(*log);
  EXPECT_EQ(fault_of(read_all(*log)[3]), "");
}

TEST_F(EmbeddedFaults, SmallNeighboursAreReadTogetherAndDamagedAlone) {
  auto log = open();
  {
    auto writer = *log->make_writer({});
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(writer->append(kWhere, seeded(4), nullptr));  // 10 kB each
    ASSERT_TRUE(writer->flush());
  }
  for (const auto& record : read_all(*log)) EXPECT_EQ(fault_of(record), "");
  std::filesystem::resize_file(payload_file(), 255'000);
  auto records = read_all(*log);
  ASSERT_EQ(records.size(), 50u);
  for (std::size_t at = 0; at < 50; ++at) EXPECT_EQ(records[at].damage.has_value(), at >= 25) << at;
}

TEST_F(EmbeddedFaults, ADamagedCatalogueIsNamed) {
  open_and_write_then([] {});
  overwrite(path_ + "/catalogue.db", 0, std::string(16'384, 'x'));
  auto log = try_open();
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(log.error().message, HasSubstr("catalogue.db"));
  EXPECT_THAT(log.error().message, HasSubstr(".recover"));
}

TEST_F(EmbeddedFaults, ANewerCatalogueIsRefused) {
  open_and_write_then([] {});
  sql("PRAGMA user_version = 99");
  auto log = try_open();
  EXPECT_EQ(log.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(log.error().message, HasSubstr("upgrade"));
}

TEST_F(EmbeddedFaults, SomebodyElsesFolderIsRefused) {
  std::filesystem::create_directories(path_);
  std::ofstream(path_ + "/holiday.jpg") << "x";
  EXPECT_EQ(try_open().error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/catalogue.db"));
  std::filesystem::remove(path_ + "/holiday.jpg");
  EXPECT_TRUE(try_open());
}

TEST_F(EmbeddedFaults, SomebodyElsesDatabaseIsRefused) {
  std::filesystem::create_directories(path_);
  sql("CREATE TABLE holidays (day)");
  EXPECT_EQ(try_open().error().code, ErrorCode::kInvalidArgument);
}

TEST_F(EmbeddedFaults, ReadingOnlyChangesNothing) {
  options_.read_only = true;
  auto missing = try_open();
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("gopline split"));
  EXPECT_FALSE(std::filesystem::exists(path_));
  options_.read_only = false;
  open_and_write_then([] {});
  options_.read_only = true;
  auto log = try_open();
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_EQ(read_all(**log).size(), 3u);
  EXPECT_EQ((*log)->make_writer({}).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ((*log)->ensure_topic({"new", 1, {}}).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ((*log)->delete_topic("t").error().code, ErrorCode::kPermissionDenied);
}

TEST_F(EmbeddedFaults, APlaceThatCannotBeWrittenIsSaid) {
  path_ = "/proc/gopline-log";
  EXPECT_FALSE(try_open());
  std::ofstream(directory_.path() + "/file") << "x";
  path_ = directory_.path() + "/file/log";
  EXPECT_FALSE(try_open());
}

// Every change in turn fails once: the record it belongs to fails or not, what is acknowledged stays, and the
// log goes on.
TEST_F(EmbeddedFaults, AnyChangeMayFailOnce) {
  for (int error : {ENOSPC, EIO}) {
    for (std::uint64_t nth = 0; nth < 16; ++nth) {
      TestDirectory place;
      path_ = place.path() + "/log";
      auto layer = std::make_shared<FaultLayer>();
      std::vector<Acknowledged> acknowledged;
      {
        auto log = try_open(layer);
        ASSERT_TRUE(log) << log.error().message;
        ASSERT_TRUE((*log)->ensure_topic({"t", 2, {}}));
        auto writer = *(*log)->make_writer({});
        layer->fail_at(nth, error, FaultLayer::Fault::kOnce);
        int failed = 0;
        for (std::uint64_t seed = 4; seed < 12; ++seed) {
          auto offset = writer->append_and_wait(kWhere, seeded(seed));
          if (offset) {
            acknowledged.push_back({0, offset->value, seed});
          } else {
            ++failed;
            if (error == ENOSPC) {
              EXPECT_NE(offset.error().code, ErrorCode::kCorrupt) << offset.error().message;
            }
            EXPECT_THAT(offset.error().message, HasSubstr(path_));
          }
        }
        EXPECT_LE(failed, 1);
        EXPECT_EQ(writer->append_and_wait({"t", PartitionId(1)}, seeded(4)), Offset(0));
        acknowledged.push_back({1, 0, 4});
      }
      expect_whole(path_, acknowledged);
      if (HasFailure()) FAIL() << "change " << nth << " failed with " << error;
    }
  }
}

TEST_F(EmbeddedFaults, AFullDiskIsSaidAndForgotten) {
  auto layer = std::make_shared<FaultLayer>();
  auto log = open(layer);
  write_three(*log);
  auto writer = *log->make_writer({});
  layer->fail_at(0, ENOSPC, FaultLayer::Fault::kFromThenOn);
  for (std::uint64_t seed : {6, 1, 5}) {
    auto outcome = writer->append_and_wait(kWhere, seeded(seed));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::kOutOfSpace) << outcome.error().message;
    EXPECT_THAT(outcome.error().message, HasSubstr(path_));
    EXPECT_THAT(outcome.error().message, HasSubstr("free space"));
  }
  EXPECT_EQ(read_all(*log).size(), 3u);
  layer->heal();
  EXPECT_EQ(writer->append_and_wait(kWhere, seeded(6)), Offset(3));
  for (const auto& record : read_all(*log)) EXPECT_EQ(fault_of(record), "");
}

TEST_F(EmbeddedFaults, ARealFullDiskToo) {
  std::filesystem::create_directories(path_);
  if (::mount("gopline-test", path_.c_str(), "tmpfs", 0, "size=6m") != 0) {
    GTEST_SKIP() << "may not mount a small disk here; the layer's full disk is tested above";
  }
  {
    auto log = open();
    auto writer = *log->make_writer({});
    std::int64_t fit = 0;
    Result<Offset> outcome = Offset(0);
    while ((outcome = writer->append_and_wait(kWhere, seeded(6)))) ++fit;
    EXPECT_EQ(outcome.error().code, ErrorCode::kOutOfSpace) << outcome.error().message;
    EXPECT_GT(fit, 10);
    EXPECT_EQ(log->offsets(kWhere)->end.value, fit);
    for (const auto& record : read_all(*log)) EXPECT_EQ(fault_of(record), "");
    EXPECT_EQ(::mount("gopline-test", path_.c_str(), "tmpfs", MS_REMOUNT, "size=12m"), 0);
    EXPECT_EQ(writer->append_and_wait(kWhere, seeded(6)), Offset(fit));
  }
  EXPECT_EQ(::umount(path_.c_str()), 0);
}

TEST_F(EmbeddedFaults, OpeningClearsAwayWhatTheDeadLeft) {
  open_and_write_then([] {});
  auto whole = payload_file();
  auto name = std::filesystem::path(whole).filename().string();
  // As if their session had been killed: bytes after the last row, and a file without any.
  sql("UPDATE files SET sealed = 0");
  auto size = std::filesystem::file_size(whole);
  std::ofstream(whole, std::ios::app | std::ios::binary) << std::string(5000, 'x');
  auto orphan = path_ + "/payload/" + name.substr(0, name.rfind('-')) + "-000099.values";
  std::ofstream(orphan) << "never acknowledged";
  std::ofstream(path_ + "/payload/keep me.txt") << "not ours";
  auto log = open();
  EXPECT_EQ(std::filesystem::file_size(whole), size);
  EXPECT_FALSE(std::filesystem::exists(orphan));
  EXPECT_TRUE(std::filesystem::exists(path_ + "/payload/keep me.txt"));
  for (const auto& record : read_all(*log)) EXPECT_EQ(fault_of(record), "");
}

TEST_F(EmbeddedFaults, OpeningLeavesTheLivingAlone) {
  auto log = open();
  auto writer = *log->make_writer({});
  ASSERT_TRUE(writer->append_and_wait(kWhere, seeded(6)));
  auto another = open();
  ASSERT_TRUE(writer->append_and_wait(kWhere, seeded(14)));
  for (const auto& record : read_all(*another)) EXPECT_EQ(fault_of(record), "");
  EXPECT_EQ(payload_files(), 1u);
}

TEST_F(EmbeddedFaults, RetentionGivesDiskSpaceBack) {
  options_.payload_file_bytes = 1'000'000;
  auto log = *try_open();
  ASSERT_TRUE(log->ensure_topic({"t", 2, {std::nullopt, 900'000, false}}));
  auto writer = *log->make_writer({});
  // A quiet partition, whose one record shares its file with many that go.
  ASSERT_TRUE(writer->append_and_wait({"t", PartitionId(1)}, seeded(6)));
  auto shared = payload_file();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(writer->append_and_wait(kWhere, seeded(6)));
  EXPECT_EQ(read_all(*log).size(), 3u);
  EXPECT_LE(payload_files(), 4u);
  struct stat status {};
  ASSERT_EQ(::stat(shared.c_str(), &status), 0);
  EXPECT_LE(status.st_blocks * 512, 320'000);  // a hole where its neighbours were
  auto quiet = *log->make_reader({});
  ASSERT_TRUE(quiet->assign({{{"t", PartitionId(1)}, StartPosition::beginning()}}));
  EXPECT_EQ(fault_of(quiet->poll(Duration(0))->at(0)), "");
}

// A reader that is overtaken by retention sees records or does not; it never takes a hole for a record.
TEST_F(EmbeddedFaults, ExpiringUnderAReaderIsNotDamage) {
  options_.payload_file_bytes = 1'000'000;
  auto log = *try_open();
  ASSERT_TRUE(log->ensure_topic({"t", 1, {std::nullopt, 600'000, false}}));
  std::thread writing([&] {
    auto writer = *log->make_writer({});
    for (int i = 0; i < 150; ++i) ASSERT_TRUE(writer->append_and_wait(kWhere, seeded(6)));
  });
  LogReaderOptions options;
  options.verify_values = false;  // the test looks itself
  auto reader = *log->make_reader(options);
  ASSERT_TRUE(reader->assign({{kWhere, StartPosition::beginning()}}));
  std::int64_t last = -1;
  while (last < 149) {
    auto records = reader->poll(kPatience);
    ASSERT_TRUE(records) << records.error().message;
    for (const auto& record : *records) {
      EXPECT_EQ(fault_of(record), "");
      EXPECT_GT(record.offset.value, last);
      last = record.offset.value;
    }
    ASSERT_TRUE(reader->seek(kWhere, StartPosition::at(Offset(last + 1))));
  }
  writing.join();
}

}  // namespace
}  // namespace gopline::embedded
