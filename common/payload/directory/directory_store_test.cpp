#include "common/payload/directory/directory_store.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/base/test_directory.h"
#include "common/payload/blob_store_contract.h"

namespace gopline::payload {
namespace {

namespace fs = std::filesystem;

class DirectoryUnderTest final : public StoreUnderTest {
 public:
  std::unique_ptr<BlobStore> open() override { return open_directory_store(directory_.path()).value(); }
  void set_modified(const std::string& key, Timestamp time) override {
    auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (directory_ / key).c_str(), times, 0), 0);
  }
  void damage(const std::string& key) override {
    fs::resize_file(directory_ / key, fs::file_size(directory_ / key) - 1);
  }

 private:
  TestDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Directory, BlobStoreContract,
                         testing::Values([]() -> std::unique_ptr<StoreUnderTest> {
                           return std::make_unique<DirectoryUnderTest>();
                         }));

const std::string kKey = "gopline/a%2Fb/2026-11-22T18/" + std::string(64, 'a');

TEST(DirectoryStore, AKeyIsAPath) {
  TestDirectory directory;
  auto store = open_directory_store(directory.path()).value();
  ASSERT_TRUE(store->put(kKey, BufferChain(Buffer::copy("hello")), {}));
  std::ifstream file(directory / kKey);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "hello");
  EXPECT_EQ(store->uri_of(kKey),
            "file://" + directory.path() + "/gopline/a%252Fb/2026-11-22T18/" + std::string(64, 'a'));
  ASSERT_TRUE(store->remove(kKey, {}));
  EXPECT_FALSE(fs::exists(directory / "gopline")) << "empty folders go too";
}

TEST(DirectoryStore, FindsItsBlobsAfterAMove) {
  TestDirectory directory;
  auto uri = open_directory_store(directory / "before").value()->uri_of(kKey);
  auto store = open_directory_store(directory / "after").value();
  EXPECT_EQ(store->key_of(uri), kKey);
  EXPECT_EQ(store->key_of("file:///etc/passwd").error().code, ErrorCode::kInvalidArgument);
}

TEST(DirectoryStore, NoKeyLeadsOutOfTheFolder) {
  TestDirectory directory;
  std::ofstream(directory / "secret") << "secret";
  auto store = open_directory_store(directory / "store").value();
  for (const std::string key : {"../secret", "a/../../secret", "/etc/passwd", "", "a//b", "./a"}) {
    EXPECT_EQ(store->get(key, {0, 1}, {}).error().code, ErrorCode::kInvalidArgument) << key;
    EXPECT_EQ(store->put(key, {}, {}).error().code, ErrorCode::kInvalidArgument) << key;
    EXPECT_EQ(store->remove(key, {}).error().code, ErrorCode::kInvalidArgument) << key;
  }
  EXPECT_FALSE(store->key_of("file://" + (directory / "store/../secret")).has_value());
}

TEST(DirectoryStore, CollectsWhatADeadWriterLeft) {
  TestDirectory directory;
  auto store = open_directory_store(directory.path()).value();
  ASSERT_TRUE(store->put(kKey, BufferChain(Buffer::copy("hello")), {}));
  auto half = directory / ("gopline/a%2Fb/2026-11-22T18/." + std::string(64, 'b') + ".x.part");
  std::ofstream(half) << "hel";
  int listed = 0;
  ASSERT_TRUE(store->list("", [&](const BlobInfo&) { return ++listed, true; }, {}));
  EXPECT_EQ(listed, 1) << "a half blob is none";
  auto now = SystemClock().now();
  EXPECT_EQ(store->collect_unfinished(now - std::chrono::hours(1), false, {}), 0) << "it is young";
  EXPECT_EQ(store->collect_unfinished(now + std::chrono::hours(1), true, {}), 1);
  EXPECT_TRUE(fs::exists(half));
  EXPECT_EQ(store->collect_unfinished(now + std::chrono::hours(1), false, {}), 1);
  EXPECT_FALSE(fs::exists(half));
  EXPECT_TRUE(store->stat(kKey, {}).has_value());
}

// As a full disk does, a limit on file sizes ends a write in the middle.
TEST(DirectoryStore, AWriteThatFailsLeavesNothing) {
  TestDirectory directory;
  auto store = open_directory_store(directory.path()).value();
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small{1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  auto failed = store->put(kKey, BufferChain(Buffer::copy(std::string(5000, 'x'))), {});
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(failed.has_value());
  EXPECT_THAT(failed.error().message, testing::HasSubstr(store->uri_of(kKey)));
  EXPECT_EQ(store->stat(kKey, {}).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(fs::is_empty((directory / kKey).substr(0, (directory / kKey).rfind('/'))));
}

}  // namespace
}  // namespace gopline::payload
