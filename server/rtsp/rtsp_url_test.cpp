#include "server/rtsp/rtsp_url.h"

#include <gmock/gmock.h>

namespace gopline::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RtspUrl, WhatIsLeftOutIsTheSafeAndTheUsual) {
  auto whole = parse_rtsp_url("rtsp://0.0.0.0:8554/site/lobby", "x");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->host, "0.0.0.0");
  EXPECT_EQ(whole->port, 8554);
  EXPECT_EQ(whole->name, "site/lobby");
  auto least = parse_rtsp_url("rtsp://:0", "site 7/door-2");
  ASSERT_TRUE(least);
  EXPECT_EQ(least->host, "127.0.0.1");
  EXPECT_EQ(least->port, 0);
  EXPECT_EQ(least->name, "site%207/door-2");
  auto six = parse_rtsp_url("rtsp://[::1]:8554/", "lobby");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->name, "lobby");
}

TEST(RtspUrl, WhatIsWrongIsSaidWithoutSecrets) {
  for (auto [text, words] : {std::pair{"http://127.0.0.1:1/x", "rtsp://HOST:PORT/NAME"},
                             {"rtsp://127.0.0.1/x", "has no port"},
                             {"rtsp://127.0.0.1:65536/x", "from 0 to 65535"},
                             {"rtsp://127.0.0.1:x/x", "from 0 to 65535"},
                             {"rtsp://user:secret@127.0.0.1:1/x", "--credentials"},
                             {"rtsp://127.0.0.1:1/x?token=secret", "rtsp://HOST:PORT/NAME"}}) {
    auto address = parse_rtsp_url(text, "lobby");
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(address.error().message, HasSubstr(words)) << text;
    EXPECT_THAT(address.error().message, Not(HasSubstr("secret"))) << text;
  }
}

}  // namespace
}  // namespace gopline::server
