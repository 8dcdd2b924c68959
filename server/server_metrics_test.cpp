#include "server/server_metrics.h"

#include <gmock/gmock.h>

namespace gopline::server {
namespace {

using ::testing::HasSubstr;

TEST(ServerMetrics, know_what_was_asked_for) {
  auto kind = [](std::string_view target) { return to_string(kind_of(*http::parse_request_target(target))); };
  EXPECT_EQ(kind("/"), "page");
  EXPECT_EQ(kind("/app.js"), "page");
  EXPECT_EQ(kind("/api/streams"), "api");
  EXPECT_EQ(kind("/api/events"), "events");
  EXPECT_EQ(kind("/api/login"), "session");
  EXPECT_EQ(kind("/streams/a%2Fb/live.m3u8"), "playlist");
  EXPECT_EQ(kind("/streams/a/init/1.mp4"), "init");
  EXPECT_EQ(kind("/streams/a/segments/0-1.m4s"), "segment");
  EXPECT_EQ(kind("/streams/a/parts/0-1-2.m4s"), "part");
  EXPECT_EQ(kind("/streams/a/clip.mp4"), "clip");
  EXPECT_EQ(kind("/streams/a/snapshot.jpg"), "snapshot");
  EXPECT_EQ(kind("/streams/a/b/c/d"), "other");
}

TEST(ServerMetrics, count_answers_and_their_bytes) {
  metrics::Registry registry;
  ServerMetrics counted(registry);
  counted.count(RequestKind::kSegment, http::respond(206, "a/b", "12345"), Duration(0));
  counted.count(RequestKind::kSegment, http::respond(404, "a/b", ""), Duration(0));
  auto text = registry.to_text();
  EXPECT_THAT(text, HasSubstr("gopline_server_answers_total{kind=\"segment\",status=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gopline_server_answers_total{kind=\"segment\",status=\"4xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gopline_server_answers_total{kind=\"segment\",status=\"5xx\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gopline_server_sent_bytes_total{kind=\"segment\"} 5\n"));
  ServerMetrics{}.count(RequestKind::kPage, {}, Duration(0));  // harms nobody
}

}  // namespace
}  // namespace gopline::server
