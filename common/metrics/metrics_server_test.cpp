#include "common/metrics/metrics_server.h"

#include <atomic>
#include <deque>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "common/http/test_client.h"

namespace gopline::metrics {
namespace {

using namespace std::chrono_literals;
using http::ServerLimits;
using http::TestClient;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::string_view kAsk = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kAskAndClose = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
constexpr std::string_view kHalfARequest = "GET /metrics HTTP/1.1\r\nHo";
constexpr auto kNever = std::chrono::milliseconds(1h);

// Nothing is cut unless a test says so: one that waits for a time-out by mistake never ends.
ServerLimits patient() {
  ServerLimits limits;
  limits.request_time = limits.idle_time = limits.response_time = kNever;
  return limits;
}

struct Server : testing::Test {
  Registry registry;
  Counter counter = registry.counters("gopline_a_total", "A").with({});
  std::vector<Gauge> many;
  std::unique_ptr<MetricsServer> server;

  void start(const ServerLimits& limits = patient(), HealthCheck health = {}) {
    auto started = MetricsServer::start("127.0.0.1:0", registry, std::move(health), limits);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }
  TestClient connect() const { return TestClient(server->port()); }

  // More text than the kernel takes from the server while nobody reads.
  void fill_registry() {
    auto family = registry.gauges("gopline_many", "Many");
    for (int i = 0; i < 1000; ++i) {
      many.push_back(family.with({{"stream", std::string(20'000, 'x') + std::to_string(i)}}));
    }
  }
};

TEST_F(Server, answers_a_scrape) {
  start();
  counter.add(3);
  auto response = connect().ask(kAsk);
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(response, EndsWith("\ngopline_a_total 3\n"));
}

TEST_F(Server, answers_again_and_again_on_one_connection) {
  start();
  auto client = connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(client.ask(kAsk), EndsWith("\ngopline_a_total " + std::to_string(i) + "\n"));
    counter.add();
  }
}

TEST_F(Server, answers_requests_that_were_sent_ahead_in_order) {
  start();
  auto client = connect();
  client.send(fmt::format("{0}GET /nothing HTTP/1.1\r\n\r\n{0}", kAsk));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 200"));
}

TEST_F(Server, closes_when_the_client_wants_it) {
  start();
  auto client = connect();
  client.send(kAskAndClose);
  EXPECT_THAT(client.await_close(), AllOf(StartsWith("HTTP/1.1 200"), EndsWith("\ngopline_a_total 0\n")));
  auto old = connect();
  old.send("GET /metrics HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.await_close(), AllOf(StartsWith("HTTP/1."), EndsWith("\ngopline_a_total 0\n")));
}

TEST_F(Server, head_is_a_get_without_its_body) {
  start();
  auto client = connect();
  auto full = client.ask(kAsk);
  client.send("HEAD /metrics HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.receive(false), full.substr(0, full.find("\r\n\r\n") + 4));
  EXPECT_EQ(client.ask(kAsk), full);
}

TEST_F(Server, says_what_is_unwell) {
  std::atomic<bool> is_well = true;
  start(patient(), [&] {
    return is_well ? std::vector<HealthProblem>{} : std::vector<HealthProblem>{{"lobby", "hangs"}};
  });
  auto client = connect();
  EXPECT_THAT(client.ask("GET /healthz HTTP/1.1\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("ok\n")));
  is_well = false;
  EXPECT_THAT(client.ask("GET /healthz HTTP/1.1\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("application/json"), HasSubstr("lobby")));
}

TEST_F(Server, other_methods_are_not_allowed) {
  start();
  EXPECT_THAT(connect().ask("DELETE /metrics HTTP/1.1\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: GET, HEAD\r\n")));
}

TEST_F(Server, a_request_with_a_body_is_refused_and_ends_the_connection) {
  start();
  for (auto size : {"5", "99999999999"}) {
    auto client = connect();
    client.send("POST /metrics HTTP/1.1\r\nContent-Length: " + std::string(size) + "\r\n\r\nhello");
    EXPECT_THAT(client.await_close(), AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("Connection: close")));
  }
}

TEST_F(Server, what_is_no_request_is_refused_and_ends_the_connection) {
  start();
  auto client = connect();
  client.send("\x16\x03\x01 hello, is this TLS?\r\n\r\n");
  EXPECT_THAT(client.await_close(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(Server, a_header_that_is_too_large_is_refused_before_it_has_ended) {
  auto limits = patient();
  limits.header_bytes = 1000;
  start(limits);
  auto client = connect();
  client.send("GET /metrics HTTP/1.1\r\nX: " + std::string(100'000, 'x'));
  EXPECT_THAT(client.await_close(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(Server, cuts_a_client_that_does_not_finish_its_request) {
  auto limits = patient();
  limits.request_time = 50ms;
  start(limits);
  auto silent = connect();
  EXPECT_THAT(silent.await_close(), IsEmpty());
  auto half = connect();
  half.send(kHalfARequest);
  EXPECT_THAT(half.await_close(), IsEmpty());
}

TEST_F(Server, cuts_a_client_that_sends_byte_by_byte_without_an_end) {
  auto limits = patient();
  limits.request_time = 100ms;
  limits.header_bytes = 1 << 30;
  start(limits);
  auto client = connect();
  client.send(kHalfARequest);
  while (client.send("x")) continue;
}

TEST_F(Server, ends_a_connection_that_nobody_uses) {
  auto limits = patient();
  limits.idle_time = 50ms;
  start(limits);
  auto client = connect();
  EXPECT_THAT(client.ask(kAsk), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(client.await_close(), IsEmpty());
}

TEST_F(Server, cuts_a_client_that_does_not_take_its_answer) {
  fill_registry();
  auto limits = patient();
  limits.response_time = 200ms;
  limits.connections = 1;
  start(limits);
  auto deaf = connect();
  deaf.send(kAsk);
  // Answered only once there is room for it, which means that the first was cut.
  EXPECT_THAT(connect().ask("GET /healthz HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Server, at_the_limit_a_new_connection_waits_for_one_that_ends) {
  auto limits = patient();
  limits.connections = 2;
  start(limits);
  auto first = connect(), second = connect(), third = connect();
  first.send(kHalfARequest);
  second.send(kHalfARequest);
  third.send(kAsk);
  EXPECT_THAT(first.ask("st: a\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(third.receive(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(second.ask("st: a\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Server, at_the_limit_the_oldest_idle_connection_makes_room) {
  auto limits = patient();
  limits.connections = 2;
  start(limits);
  auto busy = connect();
  busy.send(kHalfARequest);
  auto idle = connect();
  EXPECT_THAT(idle.ask(kAsk), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(connect().ask(kAsk), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(idle.await_close(), IsEmpty());
  EXPECT_THAT(busy.ask("st: a\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Server, serves_many_at_once) {
  start();
  std::atomic<int> good = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      auto client = connect();
      for (int k = 0; k < 50; ++k) {
        counter.add();
        auto response = client.ask(kAsk);
        if (response.starts_with("HTTP/1.1 200 ") && response.ends_with("\n")) ++good;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 16 * 50);
  EXPECT_THAT(connect().ask(kAsk), EndsWith("\ngopline_a_total 800\n"));
}

TEST_F(Server, stops_at_once_whatever_its_clients_do) {
  fill_registry();
  start();
  auto silent = connect(), half = connect(), idle = connect(), deaf = connect();
  half.send(kHalfARequest);
  deaf.send(kAsk);
  EXPECT_THAT(idle.ask("GET /healthz HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  server.reset();
  EXPECT_THAT(silent.await_close(), IsEmpty());
  EXPECT_THAT(half.await_close(), IsEmpty());
  EXPECT_THAT(idle.await_close(), IsEmpty());
}

TEST_F(Server, stops_at_once_while_clients_keep_coming) {
  for (int i = 0; i < 50; ++i) {
    start();
    std::jthread caller([port = server->port()] {
      std::deque<TestClient> clients;
      try {
        for (;;) {
          clients.emplace_back(port).send(kHalfARequest);
          if (clients.size() > 30) clients.pop_front();
        }
      } catch (const boost::system::system_error&) {  // refused: the server has stopped
      }
    });
    EXPECT_THAT(connect().ask(kAsk), StartsWith("HTTP/1.1 200 "));
    server.reset();
  }
}

TEST_F(Server, a_port_can_be_taken_again_at_once) {
  start();
  auto client = connect();
  client.ask(kAsk);
  auto address = server->address();
  server.reset();
  auto again = MetricsServer::start(address, registry, {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ((*again)->address(), address);
}

TEST_F(Server, an_address_in_use_is_named) {
  start();
  auto second = MetricsServer::start(server->address(), registry, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_EQ(second.error().message, "cannot serve metrics at " + server->address() +
                                        ": another program listens there; name another port");
}

TEST_F(Server, an_address_of_another_machine_is_named) {
  auto server_of_others = MetricsServer::start("192.0.2.1:0", registry, {});
  ASSERT_FALSE(server_of_others);
  EXPECT_EQ(server_of_others.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(server_of_others.error().message,
              HasSubstr("192.0.2.1:0: this machine does not have that address"));
}

TEST_F(Server, listens_on_ipv6) {
  auto started = MetricsServer::start("[::1]:0", registry, {});
  if (!started && started.error().code == ErrorCode::kInvalidArgument)
    GTEST_SKIP() << started.error().message;
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_THAT((*started)->address(), StartsWith("[::1]:"));
  EXPECT_THAT(TestClient((*started)->port(), "::1").ask(kAsk), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace gopline::metrics
