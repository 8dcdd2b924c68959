#include "common/payload/s3/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/base/text.h"
#include "common/payload/blob_key.h"

// The examples are those of Amazon's documentation, "Signature Calculations for the Authorization Header" and
// "Authenticating Requests: Using Query Parameters", of the S3 API Reference.
namespace gopline::payload {
namespace {

const S3Credentials kCredentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
const Timestamp kTime = parse_rfc3339("2013-05-24T00:00:00Z").value();

UnsignedRequest request(std::string method, std::string path, Fields query = {}, Fields headers = {},
                        std::string sha256 = std::string(kEmptySha256)) {
  return {std::move(method),  "examplebucket.s3.amazonaws.com",
          std::move(path),    std::move(query),
          std::move(headers), std::move(sha256)};
}
std::string authorization(const UnsignedRequest& unsigned_request) {
  return sign(unsigned_request, kCredentials, "us-east-1", kTime).back().second;
}

TEST(SigV4, GetObject) {
  auto headers =
      sign(request("GET", "/test.txt", {}, {{"range", "bytes=0-9"}}), kCredentials, "us-east-1", kTime);
  EXPECT_EQ(headers,
            (Fields{{"x-amz-content-sha256", std::string(kEmptySha256)},
                    {"x-amz-date", "20130524T000000Z"},
                    {"authorization",
                     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                     "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                     "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"}}));
}

TEST(SigV4, PutObject) {
  auto put =
      request("PUT", encode_path("/test$file.text"), {},
              {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
              "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  EXPECT_THAT(authorization(put),
              testing::EndsWith("SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-"
                                "class,Signature="
                                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(SigV4, GetBucketLifecycle) {
  EXPECT_THAT(
      authorization(request("GET", "/", {{"lifecycle", ""}})),
      testing::EndsWith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST(SigV4, ListObjects) {
  EXPECT_THAT(
      authorization(request("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}})),
      testing::EndsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SigV4, PresignedUrl) {
  EXPECT_EQ(presign_query(request("GET", "/test.txt"), kCredentials, "us-east-1", kTime, 86400),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2F"
            "s3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&"
            "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4, ASessionTokenIsSignedWithTheRest) {
  auto with_token = kCredentials;
  with_token.session_token = "a/token+";
  auto headers = sign(request("GET", "/"), with_token, "us-east-1", kTime);
  EXPECT_THAT(headers,
              testing::Contains(std::pair<std::string, std::string>{"x-amz-security-token", "a/token+"}));
  EXPECT_THAT(headers.back().second,
              testing::HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
  EXPECT_THAT(presign_query(request("GET", "/"), with_token, "us-east-1", kTime, 1),
              testing::HasSubstr("&X-Amz-Security-Token=a%2Ftoken%2B&"));
}

TEST(SigV4, EncodedPathsHaveOnlyWhatEveryProxyLeavesAlone) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string path(random() % 40, '\0');
    for (auto& c : path) c = static_cast<char>(random());
    auto encoded = encode_path(path);
    EXPECT_EQ(percent_decode(encoded), path);
    EXPECT_EQ(
        encoded.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%/"),
        std::string::npos);
    EXPECT_EQ(std::count(encoded.begin(), encoded.end(), '/'), std::count(path.begin(), path.end(), '/'));
  }
}

}  // namespace
}  // namespace gopline::payload
