#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "common/base/text.h"
#include "common/bytes/digest.h"
#include "common/payload/blob_key.h"
#include "common/payload/s3/cutting_proxy.h"
#include "common/payload/s3/s3_client.h"
#include "common/payload/s3/s3_store.h"
#include "common/payload/s3/test_server.h"

// With a real server: what it refuses, what breaks on the way to it, and what others may fetch.
namespace gopline::payload {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

BufferChain bytes_of(std::size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  auto whole = Buffer::take(std::move(bytes));
  BufferChain chain;
  for (std::size_t at = 0; at < size; at += 300'001)
    chain.append(whole.share(at, std::min<std::size_t>(300'001, size - at)));
  return chain;
}
std::string key_of(const BufferChain& bytes) {
  return to_text({"gopline", "cam/1", "2026-11-22T18", sha256_hex(bytes)});
}

class S3Server : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!TestServer::is_there()) GTEST_SKIP() << "there is no server: see TestServer.IsBuilt";
    settings_ = TestServer::shared().make_bucket();
    settings_.part_size = 5 << 20;
    open();
  }
  void open() { store_ = open_s3_store(settings_); }

  S3Settings settings_;
  std::unique_ptr<BlobStore> store_;
};

// As anybody would: with a URL and nothing else.
std::pair<long, std::string> fetch(const std::string& url) {
  std::pair<long, std::string> answer{0, ""};
  std::unique_ptr<CURL, void (*)(CURL*)> easy(curl_easy_init(), curl_easy_cleanup);
  auto take = +[](char* bytes, std::size_t size, std::size_t count, void* into) {
    static_cast<std::string*>(into)->append(bytes, size * count);
    return size * count;
  };
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer.second);
  curl_easy_perform(easy.get());
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &answer.first);
  return answer;
}

TEST_F(S3Server, AnybodyMayFetchByAPresignedUrl) {
  auto bytes = bytes_of(70'000, 1);
  auto key = key_of(bytes);
  ASSERT_TRUE(store_->put(key, bytes, {}).has_value());
  auto url = store_->presign(key, std::chrono::minutes(5)).value();
  auto [status, body] = fetch(url);
  EXPECT_EQ(status, 200);
  EXPECT_EQ(body, bytes.flatten().text());
  EXPECT_THAT(url, Not(HasSubstr(settings_.credentials.secret_access_key)));
  auto forged = url;
  forged.back() = forged.back() == '0' ? '1' : '0';
  EXPECT_EQ(fetch(forged).first, 403);
  EXPECT_EQ(fetch(url.substr(0, url.find('?'))).first, 403);
  EXPECT_EQ(store_->presign(key, std::chrono::days(8)).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(S3Server, RefusesAForeignSecretAndAnUnknownKey) {
  auto bytes = bytes_of(1000, 2);
  auto right = settings_;
  settings_.credentials.secret_access_key = "not the right one";
  open();
  auto put = store_->put(key_of(bytes), bytes, {});
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(put.error().message, HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(put.error().message, Not(HasSubstr("not the right one")));
  settings_ = right;
  settings_.credentials.access_key_id = "nobody";
  open();
  put = store_->put(key_of(bytes), bytes, {});
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(put.error().message, HasSubstr("does not know the access key nobody"));
}

TEST_F(S3Server, NamesTheBucketThatIsNotThere) {
  settings_.bucket = "nowhere";
  open();
  auto bytes = bytes_of(1000, 3);
  for (const auto& error :
       {store_->put(key_of(bytes), bytes, {}).error(), store_->get(key_of(bytes), {0, 1}, {}).error(),
        store_->stat(key_of(bytes), {}).error(),
        store_->list("", [](const auto&) { return true; }, {}).error()}) {
    EXPECT_EQ(error.code, ErrorCode::kNotFound);
    EXPECT_THAT(error.message, HasSubstr("there is no bucket nowhere at http://127.0.0.1"));
  }
}

TEST_F(S3Server, TakesNothingThatIsNotWhatItsKeyNames) {
  auto bytes = bytes_of(1000, 4);
  auto put = store_->put(key_of(bytes_of(1000, 5)), bytes, {});
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::kCorrupt);
  int found = 0;
  ASSERT_TRUE(store_->list("", [&](const auto&) { return ++found; }, {}).has_value());
  EXPECT_EQ(found, 0);
}

TEST_F(S3Server, TrustsOnlyWhoIsVouchedFor) {
  settings_ = TestServer::shared_tls().make_bucket();
  auto ca_file = std::exchange(settings_.ca_file, "");
  open();
  auto refused = store_->stat("a/b", {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(refused.error().message, HasSubstr("ca_file"));
  settings_.ca_file = "/nowhere/ca.pem";
  open();
  EXPECT_EQ(store_->stat("a/b", {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(store_->stat("a/b", {}).error().message, HasSubstr("/nowhere/ca.pem"));
  settings_.ca_file = ca_file;
  open();
  EXPECT_EQ(store_->stat("a/b", {}).error().code, ErrorCode::kNotFound);
}

TEST_F(S3Server, KeysKeepEveryByteTheirUriHas) {
  for (const std::string key :
       {"a b/c+d/e%2Ff", "\xC3\xA9/\xE2\x82\xAC", "q?x=1&y#z", "a=b,c;d'e(f)!*$@:", "~tilde/-._"}) {
    auto bytes = BufferChain(Buffer::copy(key));
    auto put = store_->put(key, bytes, {});
    ASSERT_TRUE(put.has_value()) << put.error().message;
    EXPECT_EQ(store_->key_of(put->uri), key);
    EXPECT_EQ(store_->get(key, {0, key.size()}, {})->text(), key);
    bool listed = false;
    ASSERT_TRUE(
        store_->list(key, [&](const auto& blob) { return listed = blob.key == key; }, {}).has_value());
    EXPECT_TRUE(listed) << key;
  }
  for (const char* key : {"", "/a", "a/", "a//b", "../a", "a/./b"}) {
    EXPECT_EQ(store_->stat(key, {}).error().code, ErrorCode::kInvalidArgument) << key;
  }
  EXPECT_FALSE(store_->key_of(settings_.url() + "/../other/key").has_value());
  EXPECT_FALSE(store_->key_of("s3://" + settings_.bucket + "/elsewhere/key").has_value());
}

TEST_F(S3Server, ListsMoreThanAPageHolds) {
  auto folder = std::filesystem::path(TestServer::shared().file_of(settings_, "gopline"));
  std::filesystem::create_directories(folder);
  for (int i = 0; i < 2500; ++i) std::fclose(std::fopen((folder / fmt::format("{:04}", i)).c_str(), "w"));
  int found = 0;
  auto listed = store_->list(
      "gopline/", [&](const auto& blob) { return blob.key == fmt::format("gopline/{:04}", found++); }, {});
  ASSERT_TRUE(listed.has_value()) << listed.error().message;
  EXPECT_EQ(found, 2500);
}

// ---- half uploads

TEST_F(S3Server, CollectsUploadsThatNobodyEnded) {
  S3Client client(settings_, std::make_shared<SystemClock>(), [] { return 0.5; });
  for (const char* object : {"pre/fix/a", "pre/fix/b", "elsewhere/c"}) {
    S3Request begin;
    begin.method = "POST";
    begin.object = object;
    begin.query = {{"uploads", ""}};
    ASSERT_TRUE(client.run(begin, {})->ok());
  }
  auto now = SystemClock().now();
  EXPECT_EQ(store_->collect_unfinished(now - std::chrono::hours(1), false, {}), 0) << "too young";
  EXPECT_EQ(store_->collect_unfinished(now + std::chrono::hours(1), true, {}), 2);
  EXPECT_EQ(store_->collect_unfinished(now + std::chrono::hours(1), false, {}), 2);
  EXPECT_EQ(store_->collect_unfinished(now + std::chrono::hours(1), true, {}), 0);
}

TEST_F(S3Server, AStoppedUploadLeavesNothing) {
  settings_.multipart_threshold = 1;
  settings_.parallel = 1;
  StopSource stop;
  std::size_t passed = 0;
  // The first connection breaks in the second part; by then the call has been told to stop.
  CuttingProxy proxy(TestServer::shared().port(), [&]() -> std::size_t {
    if (passed++ == 0) return 6'000'000;
    stop.request_stop();
    return 0;
  });
  auto direct = settings_;
  settings_.host = "127.0.0.1:" + std::to_string(proxy.port());
  open();
  auto bytes = bytes_of(20'000'000, 6);
  auto put = store_->put(key_of(bytes), bytes, stop.get_token());
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::kCancelled);
  auto other = open_s3_store(direct);
  EXPECT_EQ(other->stat(key_of(bytes), {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(other->collect_unfinished(SystemClock().now() + std::chrono::hours(1), true, {}), 0) << "aborted";
}

// ---- what breaks

class BreakingConnections : public S3Server, public testing::WithParamInterface<bool> {};

TEST_P(BreakingConnections, BreakNothingElse) {
  auto& server = GetParam() ? TestServer::shared_tls() : TestServer::shared();
  settings_ = server.make_bucket();
  settings_.part_size = 5 << 20;
  settings_.multipart_threshold = 1;
  settings_.range_size = 1 << 20;
  std::mt19937 random(7);
  std::mutex mutex;
  CuttingProxy proxy(server.port(), [&] {
    std::lock_guard lock(mutex);
    return 1 + random() % 9'000'000;  // of parts of 5 MiB: most connections do not outlive two
  });
  settings_.host = "127.0.0.1:" + std::to_string(proxy.port());
  store_ = open_s3_store(settings_, {.random = [] { return 0.0; }});
  for (unsigned i = 0; i < 4; ++i) {
    auto bytes = bytes_of(16'000'000 + i, 10 + i);
    auto put = store_->put(key_of(bytes), bytes, {});
    ASSERT_TRUE(put.has_value()) << put.error().message;
    auto got = store_->get(key_of(bytes), {0, bytes.size()}, {});
    ASSERT_TRUE(got.has_value()) << got.error().message;
    EXPECT_EQ(*got, bytes.flatten());
  }
  EXPECT_GT(proxy.cuts(), 10);
  int found = 0;
  ASSERT_TRUE(store_->list("", [&](const auto&) { return ++found; }, {}).has_value());
  EXPECT_EQ(found, 4);
}

INSTANTIATE_TEST_SUITE_P(S3Server, BreakingConnections, testing::Bool(),
                         [](const auto& about) { return about.param ? "Tls" : "Plain"; });

TEST_F(S3Server, AServerThatDiesAndComesBack) {
  TestServer server;
  settings_ = server.make_bucket();
  settings_.part_size = 5 << 20;
  settings_.multipart_threshold = 1;
  open();
  auto bytes = bytes_of(30'000'000, 20);
  std::atomic<bool> killed = false;
  std::size_t connections = 0;
  CuttingProxy proxy(server.port(), [&]() -> std::size_t {
    if (++connections == 2) {  // the HEAD has gone over the first
      server.tell("kill");
      killed = true;
      server.tell("start");
    }
    return 0;
  });
  settings_.host = "127.0.0.1:" + std::to_string(proxy.port());
  open();
  auto put = store_->put(key_of(bytes), bytes, {});
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_TRUE(killed);
  EXPECT_EQ(store_->get(key_of(bytes), {0, bytes.size()}, {}), bytes.flatten());
}

}  // namespace
}  // namespace gopline::payload
