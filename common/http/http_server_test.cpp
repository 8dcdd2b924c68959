#include "common/http/http_server.h"

#include <atomic>
#include <deque>
#include <future>
#include <thread>

#include <gmock/gmock.h>

#include "common/http/test_client.h"

// What the metrics endpoint, whose tests hold the server to the rest, does not use: answers that come later,
// from other threads, and piece by piece.
namespace gopline::http {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

BufferChain chain(std::string_view text) {
  return BufferChain(Buffer::copy(text));
}

// Gives what it was made with, then the end, or a failure.
class Pieces final : public BodySource {
 public:
  Pieces(std::deque<std::string> pieces, bool fails) : pieces_(std::move(pieces)), fails_(fails) {}
  void next(std::function<void(Piece)> done) override {
    if (pieces_.empty()) return fails_ ? done(fail(ErrorCode::kIo, "away")) : done(std::nullopt);
    auto piece = chain(pieces_.front());
    pieces_.pop_front();
    done(std::move(piece));
  }

 private:
  std::deque<std::string> pieces_;
  bool fails_;
};

Response streamed(std::deque<std::string> pieces, bool fails = false) {
  Response response;
  response.stream = std::make_shared<Pieces>(std::move(pieces), fails);
  return response;
}

struct HttpServers : testing::Test {
  std::unique_ptr<HttpServer> server;

  void start(Handler handler) {
    ServerLimits patient;
    patient.request_time = patient.idle_time = patient.response_time = 1h;
    auto started = HttpServer::start("127.0.0.1:0", "tests", std::move(handler), patient);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }
};

TEST_F(HttpServers, the_handler_is_told_what_was_asked) {
  start([](const Request& request, const Answer& answer) {
    answer(respond(200, "text/plain",
                   request.method + " " + request.target + " " +
                       std::string(request.header("x").value_or("-")) + " " + request.peer));
  });
  TestClient client(server->port());
  EXPECT_THAT(client.ask("GET /a?b HTTP/1.1\r\nX: 1\r\n\r\n"), EndsWith("\r\n\r\nGET /a?b 1 127.0.0.1"));
}

TEST_F(HttpServers, an_answer_may_come_later_from_another_thread) {
  std::promise<Answer> asked;
  start([&](const Request&, Answer answer) { asked.set_value(std::move(answer)); });
  TestClient client(server->port());
  client.send("GET / HTTP/1.1\r\n\r\n");
  auto answer = asked.get_future().get();
  std::jthread([&] { answer(refuse(404, "nothing")); }).join();
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  answer(refuse(200, "once more"));  // counts for nothing
  server.reset();
  EXPECT_EQ(client.await_close(), "");
  answer(refuse(200, "and again"));  // nobody is there
}

TEST_F(HttpServers, who_makes_an_answer_is_told_when_the_client_has_gone) {
  std::promise<StopToken> asked;
  std::promise<void> left;
  start([&](const Request& request, const Answer&) { asked.set_value(request.gone); });
  auto client = std::make_unique<TestClient>(server->port());
  client->send("GET / HTTP/1.1\r\n\r\n");
  auto gone = asked.get_future().get();
  std::stop_callback when_gone(gone, [&] { left.set_value(); });
  EXPECT_FALSE(gone.stop_requested());
  client.reset();
  left.get_future().wait();
}

TEST_F(HttpServers, who_asks_on_has_not_gone) {
  std::promise<std::pair<StopToken, Answer>> first;
  start([&](const Request& request, const Answer& answer) {
    if (request.target == "/1") return first.set_value({request.gone, answer});
    answer(respond(200, "text/plain", request.gone.stop_requested() ? "gone" : "there"));
  });
  TestClient client(server->port());
  client.send("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  auto [gone, answer] = first.get_future().get();
  EXPECT_FALSE(gone.stop_requested());
  answer(respond(200, "text/plain", "one"));
  EXPECT_THAT(client.receive(), EndsWith("one"));
  EXPECT_THAT(client.receive(), EndsWith("there"));
  EXPECT_THAT(client.ask("GET /3 HTTP/1.1\r\n\r\n"), EndsWith("there"));
}

TEST_F(HttpServers, a_handler_that_throws_is_a_server_error) {
  start([](const Request&, const Answer&) { throw std::runtime_error("oh"); });
  EXPECT_THAT(TestClient(server->port()).ask("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServers, pieces_are_sent_in_chunks_and_the_connection_goes_on) {
  start([](const Request&, const Answer& answer) { answer(streamed({"one", "", "and two"})); });
  TestClient client(server->port());
  for (int i = 0; i < 2; ++i) {
    client.send("GET / HTTP/1.1\r\n\r\n");
    EXPECT_THAT(client.receive(false), HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_EQ(client.receive_bytes(3 + 3 + 2 + 3 + 7 + 2 + 5), "3\r\none\r\n7\r\nand two\r\n0\r\n\r\n");
  }
}

TEST_F(HttpServers, pieces_for_an_old_client_end_with_the_connection) {
  start([](const Request&, const Answer& answer) { answer(streamed({"one", "two"})); });
  TestClient client(server->port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  auto all = client.await_close();
  EXPECT_THAT(all, EndsWith("\r\n\r\nonetwo"));
  EXPECT_THAT(all, Not(HasSubstr("chunked")));
}

TEST_F(HttpServers, a_stream_that_fails_is_not_ended_as_if_it_were_whole) {
  start([](const Request&, const Answer& answer) { answer(streamed({"one"}, true)); });
  TestClient client(server->port());
  client.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(client.await_close(), EndsWith("\r\n\r\n3\r\none\r\n"));
}

TEST_F(HttpServers, head_of_a_stream_has_no_body) {
  start([](const Request&, const Answer& answer) { answer(streamed({"one"})); });
  TestClient client(server->port());
  client.send("HEAD / HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(client.receive(false), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(client.receive(false), StartsWith("HTTP/1.1 200 "));
}

// A source that never has anything: its session ends with the server all the same.
class Silence final : public BodySource {
 public:
  void next(std::function<void(Piece)> done) override { done_ = std::move(done); }

 private:
  std::function<void(Piece)> done_;
};

TEST_F(HttpServers, stops_at_once_while_answers_are_being_waited_for) {
  std::promise<void> waiting;
  Answer kept;
  start([&](const Request& request, Answer answer) {
    Response response;
    response.stream = std::make_shared<Silence>();
    if (request.target == "/stream") return answer(std::move(response));
    kept = std::move(answer);
    waiting.set_value();
  });
  TestClient streaming(server->port()), asking(server->port());
  streaming.send("GET /stream HTTP/1.1\r\n\r\n");
  EXPECT_THAT(streaming.receive(false), StartsWith("HTTP/1.1 200 "));
  asking.send("GET / HTTP/1.1\r\n\r\n");
  waiting.get_future().wait();
  server.reset();
  EXPECT_EQ(streaming.await_close(), "");
  EXPECT_EQ(asking.await_close(), "");
}

Handler streams_of_size(std::uint64_t said) {
  return [said](const Request&, const Answer& answer) {
    auto response = streamed({"one", "two"});
    response.stream_size = said;
    answer(std::move(response));
  };
}

TEST_F(HttpServers, a_stream_of_known_size_says_it_and_keeps_the_connection) {
  start(streams_of_size(6));
  TestClient client(server->port());
  for (int i = 0; i < 2; ++i) {
    auto got = client.ask("GET / HTTP/1.1\r\n\r\n");
    EXPECT_THAT(got, HasSubstr("\r\nContent-Length: 6\r\n"));
    EXPECT_THAT(got, EndsWith("\r\n\r\nonetwo"));
  }
}

TEST_F(HttpServers, a_stream_that_is_not_what_it_said_is_broken_off) {
  for (auto [said, got] : {std::pair(7, "\r\n\r\nonetwo"), {5, "\r\n\r\none"}}) {
    start(streams_of_size(static_cast<std::uint64_t>(said)));
    TestClient client(server->port());
    client.send("GET / HTTP/1.1\r\n\r\n");
    EXPECT_THAT(client.await_close(), EndsWith(got));
  }
}

}  // namespace
}  // namespace gopline::http
