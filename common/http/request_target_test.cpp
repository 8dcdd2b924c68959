#include "common/http/request_target.h"

#include <gmock/gmock.h>

namespace gopline::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(RequestTarget, is_taken_apart_before_it_is_decoded) {
  auto target =
      parse_request_target("/streams/site-7%2Fdoor-2/hls.m3u8?from=2026-11-22T18:00:00%2B01:00&to=");
  ASSERT_TRUE(target) << target.error().message;
  EXPECT_THAT(target->path, ElementsAre("streams", "site-7/door-2", "hls.m3u8"));
  EXPECT_THAT(target->query, ElementsAre(Pair("from", "2026-11-22T18:00:00+01:00"), Pair("to", "")));
  EXPECT_EQ(target->parameter("to"), "");
  EXPECT_EQ(target->parameter("at"), std::nullopt);
}

TEST(RequestTarget, the_root_has_no_segments) {
  EXPECT_THAT(parse_request_target("/")->path, IsEmpty());
  EXPECT_THAT(parse_request_target("/?a&&b=1=2")->query, ElementsAre(Pair("a", ""), Pair("b", "1=2")));
}

TEST(RequestTarget, a_plus_is_a_plus) {
  EXPECT_THAT(parse_request_target("/a+b?c=d+e")->path, ElementsAre("a+b"));
  EXPECT_EQ(parse_request_target("/a+b?c=d+e")->parameter("c"), "d+e");
}

TEST(RequestTarget, says_what_is_wrong) {
  auto complaint = [](std::string_view text) {
    auto target = parse_request_target(text);
    return target ? std::string("none") : target.error().message;
  };
  for (auto text : {"", "*", "http://a/", "a/b"}) EXPECT_THAT(complaint(text), HasSubstr("slash")) << text;
  for (auto text : {"//", "/a//b", "/a/", "/..", "/a/../b", "/./a", "/%2e%2e/a", "/a/%2E"})
    EXPECT_THAT(complaint(text), HasSubstr("empty, \".\" or \"..\"")) << text;
  for (auto text : {"/%", "/%4", "/%zz"}) EXPECT_THAT(complaint(text), HasSubstr("escape")) << text;
  for (auto text : {"/%00", "/a%0d%0a", "/%7f"}) EXPECT_THAT(complaint(text), HasSubstr("control")) << text;
  EXPECT_THAT(complaint("/a?b=%ff"), HasSubstr("UTF-8"));
  EXPECT_THAT(complaint("/" + std::string(kMaxTargetBytes, 'a')), HasSubstr("longer"));
}

}  // namespace
}  // namespace gopline::http
