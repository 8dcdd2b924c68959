#include "common/log/embedded/test_child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "common/base/text.h"
#include "common/log/contract_test_suite.h"
#include "common/log/embedded/embedded_log.h"

namespace gopline::embedded {
namespace {

constexpr std::int32_t kPartitions = 2;

std::unique_ptr<Log> open_log(const std::string& directory) {
  EmbeddedLogOptions options;
  options.directory = directory;
  options.payload_file_bytes = 1 << 20;
  auto log = open_embedded_log(options);
  if (!log) {
    ADD_FAILURE() << log.error().message;
    std::cerr << log.error().message << "\n";
    std::_Exit(3);
  }
  return std::move(*log);
}

// Reports are written from callbacks and from one thread; a pipe takes them whole.
void report(const Acknowledged& acknowledged) {
  (void)!::write(STDOUT_FILENO, &acknowledged, sizeof acknowledged);
}

int write_records(const std::string& directory, std::uint64_t first_seed, std::uint64_t count) {
  auto log = open_log(directory);
  if (!log->ensure_topic({"t", kPartitions, {}})) return 4;
  auto writer = log->make_writer({"child", 8 << 20});
  if (!writer) return 5;
  for (auto seed = first_seed; seed < first_seed + count; ++seed) {
    auto partition = static_cast<std::int32_t>(seed % kPartitions);
    auto appended = (*writer)->append({"t", PartitionId(partition)},
                                      {std::to_string(first_seed),
                                       BufferChain(value_of_seed(seed)),
                                       {{"seed", std::to_string(seed)}},
                                       Timestamp{}},
                                      [=](Result<Offset> offset) {
                                        if (offset) report({partition, offset->value, seed});
                                      });
    if (!appended) return 6;
  }
  return (*writer)->flush() ? 0 : 7;
}

int read_records(const std::string& directory) {
  auto log = open_log(directory);
  LogReaderOptions options;
  options.group = "g";
  options.session_timeout = std::chrono::seconds(1);
  auto reader = log->make_reader(options);
  if (!reader || !(*reader)->subscribe({"t"}, StartPosition::beginning())) return 5;
  while (true) {
    auto records = (*reader)->poll(std::chrono::seconds(1));
    if (!records) return 6;
    for (const auto& record : *records) report({record.where.partition.value, record.offset.value, 0});
  }
}

void expect_no_fault_in_the_catalogue(const std::string& directory) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((directory + "/catalogue.db").c_str(), &database), SQLITE_OK);
  std::string verdict;
  auto collect = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += values[0];
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(database, "PRAGMA integrity_check", collect, &verdict, nullptr), SQLITE_OK);
  EXPECT_EQ(verdict, "ok");
  sqlite3_close(database);
}

void expect_no_leavings(const std::string& directory, std::uint64_t value_bytes, std::size_t records) {
  std::uint64_t payload = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/payload"))
    payload += entry.file_size();
  // Large values begin at a block of their own. Values whose rows were not committed lie between others, or
  // are cut off.
  EXPECT_LE(payload, value_bytes + records * 4096 + (4 << 20));
}

}  // namespace

Buffer value_of_seed(std::uint64_t seed) {
  constexpr std::size_t kSizes[] = {0, 100, 4096, 4097, 10'000, 70'000, 300'000, 33};
  return test_bytes(kSizes[seed % std::size(kSizes)], seed);
}

std::string fault_of(const StoredRecord& record) {
  if (record.damage) return record.damage->message;
  auto header = find_header(record.headers, "seed");
  auto seed = header ? parse_int64(*header) : Result<std::int64_t>(fail(ErrorCode::kNotFound, "no seed"));
  if (!seed) return seed.error().message;
  if (!record.value) return "a null value";
  auto wanted = value_of_seed(static_cast<std::uint64_t>(*seed));
  return *record.value == wanted ? "" : "other bytes than were written, of seed " + std::string(*header);
}

TestChild::TestChild(const std::string& mode, const std::string& directory, std::uint64_t first_seed,
                     std::uint64_t count) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  reports_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<std::string> words{"child",   "--gopline-child",          mode,
                                 directory, std::to_string(first_seed), std::to_string(count)};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  EXPECT_EQ(::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
}

TestChild::~TestChild() {
  kill();
  wait();
  ::close(reports_);
}

bool TestChild::next(Acknowledged& out) {
  std::size_t have = 0;
  while (have < sizeof out) {
    auto got = ::read(reports_, reinterpret_cast<char*>(&out) + have, sizeof out - have);
    if (got <= 0) return false;
    have += static_cast<std::size_t>(got);
  }
  return true;
}

void TestChild::kill() {
  if (process_ > 0) ::kill(process_, SIGKILL);
}

int TestChild::wait() {
  if (process_ <= 0) return -1;
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int run_as_child(int argc, char** argv) {
  if (argc != 6 || std::string_view(argv[1]) != "--gopline-child") return -1;
  std::string_view mode = argv[2];
  if (mode == "read") return read_records(argv[3]);
  return write_records(argv[3], std::strtoull(argv[4], nullptr, 10), std::strtoull(argv[5], nullptr, 10));
}

void expect_whole(const std::string& directory, const std::vector<Acknowledged>& acknowledged) {
  auto log = open_log(directory);
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> seeds;
  std::uint64_t value_bytes = 0;
  if (!log->describe_topic("t")) {
    EXPECT_TRUE(acknowledged.empty());
    return;
  }
  for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
    const TopicPartition where{"t", PartitionId(partition)};
    auto reader = *log->make_reader({});
    ASSERT_TRUE(reader->assign({{where, StartPosition::beginning()}}));
    auto end = log->offsets(where)->end.value;
    std::int64_t next = 0;
    while (next < end) {
      auto records = reader->poll(Duration(0));
      ASSERT_TRUE(records) << records.error().message;
      ASSERT_FALSE(records->empty()) << "offset " << next << " of " << end;
      for (const auto& record : *records) {
        EXPECT_EQ(record.offset.value, next++);
        EXPECT_EQ(fault_of(record), "");
        value_bytes += record.value ? record.value->size() : 0;
        seeds[{partition, record.offset.value}] =
            std::string(find_header(record.headers, "seed").value_or(""));
      }
    }
  }
  for (const auto& one : acknowledged) {
    auto found = seeds.find({one.partition, one.offset});
    ASSERT_NE(found, seeds.end()) << "acknowledged and gone: " << one.partition << "/" << one.offset;
    EXPECT_EQ(found->second, std::to_string(one.seed));
  }
  expect_no_leavings(directory, value_bytes, seeds.size());
  log.reset();
  expect_no_fault_in_the_catalogue(directory);
}

}  // namespace gopline::embedded

int main(int argc, char** argv) {
  if (auto code = gopline::embedded::run_as_child(argc, argv); code >= 0) return code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
