#include "common/payload/s3/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/base/text.h"

// What a store says without asking anybody.
namespace gopline::payload {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

S3Settings settings() {
  S3Settings settings;
  settings.bucket = "bucket";
  settings.prefix = "a b/c";
  settings.host = "s3.example:9000";
  settings.credentials = {"the-key", "the-secret", "the-token"};
  return settings;
}

TEST(S3Store, UrisKeepEveryByteOfAKey) {
  auto store = open_s3_store(settings());
  EXPECT_EQ(store->uri_of("gopline/a%2Fb/x"), "s3://bucket/a%20b/c/gopline/a%252Fb/x");
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    std::string key;
    for (auto size = 1 + random() % 30; key.size() < size;) {
      char c = static_cast<char>(1 + random() % 255);  // any but NUL
      key += c == '/' && (key.empty() || key.back() == '/') ? 'x' : c;
    }
    if (key.back() == '/') key.back() = 'x';
    if (key.find("./") != std::string::npos || key.ends_with('.')) continue;  // may be no key
    auto uri = store->uri_of(key);
    EXPECT_EQ(store->key_of(uri), key) << uri;
    EXPECT_TRUE(std::all_of(uri.begin(), uri.end(), [](char c) { return c > ' ' && c < 0x7f; })) << uri;
  }
}

TEST(S3Store, OnlyUrisOfItsBucketAndPrefixAreItsOwn) {
  auto store = open_s3_store(settings());
  EXPECT_EQ(store->key_of("s3://bucket/a%20b/c/k"), "k");
  EXPECT_EQ(store->key_of("s3://bucket/a b/c/k"), "k") << "as a person may write it";
  for (const char* uri :
       {"s3://bucket/a%20b/c", "s3://bucket/a%20b/c/", "s3://bucket/a%20b/cd/k", "s3://bucke/a%20b/c/k",
        "s3://bucket2/a%20b/c/k", "s3://bucket/a%20b/c/../k", "s3://bucket/a%20b/c/%2e%2e/k",
        "s3://bucket/a%20b/c/%2", "s3://bucket/a%20b/c/x%00", "file:///bucket/a%20b/c/k"}) {
    auto key = store->key_of(uri);
    ASSERT_FALSE(key.has_value()) << uri;
    EXPECT_EQ(key.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(S3Store, PresignedUrlsLeadToTheObject) {
  auto url = open_s3_store(settings())->presign("k/%2F", std::chrono::milliseconds(1500)).value();
  EXPECT_THAT(url, testing::StartsWith("https://s3.example:9000/bucket/a%20b/c/k/%252F?X-Amz-Algorithm="));
  EXPECT_THAT(url, HasSubstr("&X-Amz-Expires=2&"));
  EXPECT_THAT(url, Not(HasSubstr("the-secret")));
  auto named = settings();
  named.addressing = S3Addressing::kVirtualHost;
  EXPECT_THAT(open_s3_store(named)->presign("k", std::chrono::seconds(1)).value(),
              testing::StartsWith("https://bucket.s3.example:9000/a%20b/c/k?"));
}

TEST(S3Store, DescribesItselfWithoutSecrets) {
  auto words = open_s3_store(settings())->describe();
  EXPECT_EQ(words, "s3://bucket/a%20b/c");
}

}  // namespace
}  // namespace gopline::payload
