#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "common/metrics/http_answer.h"
#include "common/metrics/metrics_server.h"

namespace gopline::metrics {

class HttpSession;

// What a connection needs from the server it belongs to, which outlives it.
struct SessionHost {
  std::function<HttpAnswer(std::string_view method, std::string_view target)> answer;
  std::function<void(HttpSession&)> on_idle;  // the session would not be missed now
  std::function<void(HttpSession&)> on_end;   // once; the session begins nothing after that
  ServerLimits limits;
};

// One connection: requests are read and answered one after the other until the client, an error or a time-out
// ends it. Each wait has its time-out, counted over the whole header or answer: who sends a byte now and then
// gains nothing. Used from the server's thread alone; it lives while it has something under way.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(boost::asio::ip::tcp::socket socket, const SessionHost& host);

  void start();
  void end();
  bool is_idle() const { return is_idle_; }

 private:
  using ErrorCode = boost::beast::error_code;

  void await_request();
  void read_request();
  void on_request(ErrorCode error);
  void respond(HttpAnswer answer, bool keep_alive, bool with_body = true);
  void close_orderly();
  void discard();
  void become_idle();

  const SessionHost& host_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
  boost::beast::http::response<boost::beast::http::string_body> response_;
  bool is_idle_ = false;
  bool has_ended_ = false;
};

}  // namespace gopline::metrics
