#include "common/http/message.h"

#include <gmock/gmock.h>

namespace gopline::http {
namespace {

using ::testing::Contains;
using ::testing::Pair;

Request asking(std::string name, std::string value) {
  Request request;
  request.method = "GET";
  request.headers = {{std::move(name), std::move(value)}};
  return request;
}

Response digits() {
  auto response = respond(200, "text/plain", "0123456789");
  response.headers.emplace_back("ETag", "\"v1\"");
  return response;
}

std::string body_of(const Response& response) {
  return std::string(response.body.flatten().text());
}

TEST(HttpMessage, headers_are_found_in_any_case) {
  EXPECT_EQ(asking("If-None-Match", "a").header("if-none-match"), "a");
  EXPECT_EQ(asking("If-None-Match", "a").header("if-none-matc"), std::nullopt);
}

TEST(HttpMessage, a_range_of_bytes) {
  struct Case {
    const char *range, *body, *content_range;
  };
  for (auto [range, body, content_range] :
       {Case{"bytes=0-3", "0123", "bytes 0-3/10"}, Case{"bytes=7-", "789", "bytes 7-9/10"},
        Case{"bytes=-2", "89", "bytes 8-9/10"}, Case{"bytes=8-99", "89", "bytes 8-9/10"},
        Case{"bytes=-99", "0123456789", "bytes 0-9/10"}}) {
    auto response = as_asked(asking("Range", range), digits());
    EXPECT_EQ(response.status, 206u) << range;
    EXPECT_EQ(body_of(response), body) << range;
    EXPECT_THAT(response.headers, Contains(Pair("Content-Range", content_range))) << range;
  }
}

TEST(HttpMessage, what_is_no_single_range_gets_everything) {
  for (auto range : {"bytes=0-1,3-4", "lines=1-2", "bytes=3-1", "bytes=-", "bytes=a-b", "bytes"}) {
    auto response = as_asked(asking("Range", range), digits());
    EXPECT_EQ(response.status, 200u) << range;
    EXPECT_EQ(body_of(response), "0123456789") << range;
  }
}

TEST(HttpMessage, a_range_beyond_the_end_is_told_the_size) {
  for (auto range : {"bytes=10-", "bytes=-0"}) {
    auto response = as_asked(asking("Range", range), digits());
    EXPECT_EQ(response.status, 416u) << range;
    EXPECT_THAT(response.headers, Contains(Pair("Content-Range", "bytes */10"))) << range;
  }
}

TEST(HttpMessage, who_has_it_is_not_sent_it_again) {
  for (auto tags : {"\"v1\"", "*", "\"v0\", W/\"v1\""}) {
    auto response = as_asked(asking("If-None-Match", tags), digits());
    EXPECT_EQ(response.status, 304u) << tags;
    EXPECT_TRUE(response.body.empty()) << tags;
  }
  EXPECT_EQ(as_asked(asking("If-None-Match", "\"v2\""), digits()).status, 200u);
}

TEST(HttpMessage, a_range_of_something_else_gets_everything) {
  auto request = asking("Range", "bytes=0-3");
  request.headers.emplace_back("If-Range", "\"v0\"");
  EXPECT_EQ(as_asked(request, digits()).status, 200u);
  request.headers.back().second = "\"v1\"";
  EXPECT_EQ(as_asked(request, digits()).status, 206u);
}

// Three pieces: "0123", "", "456789".
struct ThreePieces final : BodySource {
  std::vector<std::string> left{"0123", "", "456789"};
  void next(std::function<void(Piece)> done) override {
    if (left.empty()) return done(std::nullopt);
    auto piece = left.front();
    left.erase(left.begin());
    done(BufferChain(Buffer::copy(piece)));
  }
};

Response pieces(std::optional<std::uint64_t> size) {
  Response response;
  response.headers.emplace_back("ETag", "\"v1\"");
  response.stream = std::make_shared<ThreePieces>();
  response.stream_size = size;
  return response;
}

std::string stream_of(const Response& response) {
  std::string all;
  bool ended = false;
  while (!ended) {
    response.stream->next([&](BodySource::Piece piece) {
      ended = !piece || !*piece;
      if (!ended) all += std::string((*piece)->flatten().text());
    });
  }
  return all;
}

TEST(HttpMessage, a_range_of_a_stream_is_cut_out_of_it) {
  for (auto [range, body] :
       {std::pair("bytes=2-5", "2345"), {"bytes=4-", "456789"}, {"bytes=-1", "9"}, {"bytes=0-0", "0"}}) {
    auto response = as_asked(asking("Range", range), pieces(10));
    EXPECT_EQ(response.status, 206u) << range;
    EXPECT_EQ(response.stream_size, std::string_view(body).size()) << range;
    EXPECT_EQ(stream_of(response), body) << range;
  }
}

TEST(HttpMessage, of_a_stream_of_unknown_size_everything_is_given) {
  auto response = as_asked(asking("Range", "bytes=2-5"), pieces(std::nullopt));
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(stream_of(response), "0123456789");
  EXPECT_EQ(as_asked(asking("If-None-Match", "\"v1\""), pieces(10)).stream, nullptr);
}

TEST(HttpMessage, what_asks_for_everything_asks_for_no_range) {
  EXPECT_FALSE(asks_for_range({}, "\"v1\""));
  EXPECT_FALSE(asks_for_range(asking("Range", "bytes=0-"), "\"v1\""));
  EXPECT_TRUE(asks_for_range(asking("Range", "bytes=1-"), "\"v1\""));
  auto conditional = asking("Range", "bytes=1-");
  conditional.headers.emplace_back("If-Range", "\"v2\"");
  EXPECT_FALSE(asks_for_range(conditional, "\"v1\""));
}

}  // namespace
}  // namespace gopline::http
