#include "common/metrics/http_answer.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace gopline::metrics {
namespace {

using ::testing::HasSubstr;

struct HttpAnswers : testing::Test {
  Registry registry;
  Counter counter = registry.counters("gopline_a_total", "A").with({});
  std::vector<HealthProblem> problems;

  HttpAnswer get(std::string_view target) { return ask("GET", target); }
  HttpAnswer ask(std::string_view method, std::string_view target) {
    return answer(method, target, registry, [this] { return problems; });
  }
};

TEST_F(HttpAnswers, metrics_are_text_in_format_0_0_4) {
  auto found = get("/metrics");
  EXPECT_EQ(found.status, 200u);
  EXPECT_EQ(found.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(found.body, HasSubstr("\ngopline_a_total 0\n"));
}

TEST_F(HttpAnswers, a_query_is_passed_over) {
  EXPECT_EQ(get("/metrics?name[]=up").status, 200u);
}

TEST_F(HttpAnswers, well_is_ok) {
  EXPECT_EQ(get("/healthz").status, 200u);
  EXPECT_EQ(get("/healthz").body, "ok\n");
  EXPECT_EQ(answer("GET", "/healthz", registry, {}).status, 200u);
}

TEST_F(HttpAnswers, unwell_says_who_and_why) {
  problems = {{"lobby", "no packet for 12 s"}, {"door \"2\"\xff", "wrong password"}};
  auto found = get("/healthz");
  EXPECT_EQ(found.status, 503u);
  EXPECT_EQ(found.content_type, "application/json");
  auto document = nlohmann::json::parse(found.body);
  EXPECT_EQ(document["status"], "unhealthy");
  EXPECT_EQ(document["problems"][0]["subject"], "lobby");
  EXPECT_EQ(document["problems"][0]["problem"], "no packet for 12 s");
  EXPECT_EQ(document["problems"][1]["problem"], "wrong password");
}

TEST_F(HttpAnswers, a_health_check_that_throws_is_a_server_error) {
  auto found = answer("GET", "/healthz", registry,
                      []() -> std::vector<HealthProblem> { throw std::runtime_error("cannot look"); });
  EXPECT_EQ(found.status, 500u);
  EXPECT_EQ(found.body, "cannot look\n");
}

TEST_F(HttpAnswers, the_front_page_leads_on) {
  EXPECT_THAT(get("/").body, HasSubstr("/metrics"));
}

TEST_F(HttpAnswers, anything_else_is_not_found) {
  EXPECT_EQ(get("/metrics/").status, 404u);
  EXPECT_EQ(get("/../etc/passwd").status, 404u);
  EXPECT_EQ(get("*").status, 404u);
}

TEST_F(HttpAnswers, only_looking_is_allowed) {
  for (auto method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "PRI"}) {
    auto found = ask(method, "/metrics");
    EXPECT_EQ(found.status, 405u) << method;
    EXPECT_EQ(found.allow, "GET, HEAD");
  }
}

}  // namespace
}  // namespace gopline::metrics
