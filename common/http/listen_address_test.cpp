#include "common/http/listen_address.h"

#include <gmock/gmock.h>

namespace gopline::http {
namespace {

using ::testing::HasSubstr;

TEST(ListenAddress, takes_names_and_both_kinds_of_addresses) {
  for (auto text : {"127.0.0.1:9100", "localhost:0", "[::1]:9100", "[::]:65535"}) {
    auto parsed = parse_listen_address(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(to_string(*parsed), text);
  }
  EXPECT_EQ(parse_listen_address("[::1]:9100")->host, "::1");
}

TEST(ListenAddress, says_what_is_wrong) {
  auto complaint = [](std::string_view text) {
    auto parsed = parse_listen_address(text);
    return parsed ? "taken" : parsed.error().message;
  };
  EXPECT_THAT(complaint("localhost"),
              HasSubstr("'localhost' is not an address to listen at: there is no port"));
  EXPECT_THAT(complaint(":9100"), HasSubstr("there is no host"));
  EXPECT_THAT(complaint("::1:9100"), HasSubstr("in brackets"));
  EXPECT_THAT(complaint("[::1:9100"), HasSubstr("in brackets"));
  for (auto text : {"localhost:", "localhost:65536", "localhost:-1", "localhost:http", "[::1]"}) {
    EXPECT_THAT(complaint(text), testing::Not("taken")) << text;
  }
  EXPECT_THAT(complaint("localhost:http"), HasSubstr("like 127.0.0.1:9100 or [::1]:9100"));
}

}  // namespace
}  // namespace gopline::http
