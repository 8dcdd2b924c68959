#include "server/cross_origin.h"

#include <gmock/gmock.h>

namespace gopline::server {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

http::Request asked_from(const std::string& origin, const std::string& method = "GET") {
  http::Request request;
  request.method = method;
  if (!origin.empty()) request.headers.emplace_back("Origin", origin);
  return request;
}

auto headers_for(const CrossOrigin& cors, const http::Request& request) {
  http::Response response;
  cors.add_headers(request, response);
  return response.headers;
}

TEST(CrossOrigins, nobody_is_let_in_unless_named) {
  auto headers = headers_for(CrossOrigin(), asked_from("https://other.example"));
  EXPECT_THAT(headers, Each(Pair(Not(StartsWith("Access-Control")), ::testing::_)));
  EXPECT_THAT(headers, Contains(Pair("Cross-Origin-Resource-Policy", "same-origin")));
  EXPECT_FALSE(CrossOrigin().preflight(asked_from("https://other.example", "OPTIONS")));
}

TEST(CrossOrigins, a_named_page_may_read_and_be_known) {
  auto cors = CrossOrigin::of({"https://wall.example", "http://localhost:3000"}).value();
  auto request = asked_from("http://localhost:3000");
  auto headers = headers_for(cors, request);
  EXPECT_THAT(headers, Contains(Pair("Access-Control-Allow-Origin", "http://localhost:3000")));
  EXPECT_THAT(headers, Contains(Pair("Access-Control-Allow-Credentials", "true")));
  EXPECT_THAT(headers, Contains(Pair("Access-Control-Expose-Headers", HasSubstr("Content-Range"))));
  EXPECT_THAT(headers, Contains(Pair("Vary", "Origin")));
  EXPECT_TRUE(cors.trusts(request));
}

TEST(CrossOrigins, another_page_is_told_nothing_and_caches_know_it) {
  auto cors = CrossOrigin::of({"https://wall.example"}).value();
  for (const char* origin : {"https://wall.example.evil", "http://wall.example", "null", ""}) {
    auto headers = headers_for(cors, asked_from(origin));
    EXPECT_THAT(headers, Each(Pair(Not(StartsWith("Access-Control")), ::testing::_))) << origin;
    EXPECT_THAT(headers, Contains(Pair("Vary", "Origin")));
    EXPECT_FALSE(cors.trusts(asked_from(origin)));
  }
}

TEST(CrossOrigins, every_page_may_read_and_none_is_known) {
  auto cors = CrossOrigin::of({"*"}).value();
  auto request = asked_from("https://any.example");
  auto headers = headers_for(cors, request);
  EXPECT_THAT(headers, Contains(Pair("Access-Control-Allow-Origin", "*")));
  EXPECT_THAT(headers, Not(Contains(Pair("Access-Control-Allow-Credentials", ::testing::_))));
  EXPECT_FALSE(cors.trusts(request));
}

TEST(CrossOrigins, a_browser_that_asks_first_is_answered) {
  auto cors = CrossOrigin::of({"https://wall.example"}).value();
  auto request = asked_from("https://wall.example", "OPTIONS");
  EXPECT_FALSE(cors.preflight(request));  // nothing is asked for
  request.headers.emplace_back("Access-Control-Request-Method", "GET");
  auto response = cors.preflight(request);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 204);
  EXPECT_THAT(response->headers, Contains(Pair("Access-Control-Allow-Headers", HasSubstr("Range"))));
}

TEST(CrossOrigins, what_is_no_origin_is_refused) {
  for (const char* text :
       {"wall.example", "https://", "https://wall.example/", "https://Wall.example", "ftp://x", ""}) {
    auto made = CrossOrigin::of({text});
    ASSERT_FALSE(made) << text;
    EXPECT_THAT(made.error().message, HasSubstr("https://wall.example.org"));
  }
  EXPECT_FALSE(CrossOrigin::of({"*", "https://wall.example"}));
}

}  // namespace
}  // namespace gopline::server
