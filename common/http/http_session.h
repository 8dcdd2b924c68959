#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>

#include "common/http/http_server.h"
#include "common/http/message.h"

namespace gopline::http {

class HttpSession;

// What a connection needs from the server it belongs to, which outlives it.
struct SessionHost {
  Handler handler;
  std::function<void(HttpSession&)> on_idle;  // the session would not be missed now
  std::function<void(HttpSession&)> on_end;   // once; the session begins nothing after that
  ServerLimits limits;
};

// One connection: requests are read and answered one after the other until the client, an error or a time-out
// ends it. Each wait for the client has its time-out, counted over the whole header, answer or piece: who
// sends a byte now and then gains nothing. Used from the server's thread alone, which keeps it until its end.
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
  Answer answer_once();
  void respond(Response response);
  void send(BufferChain bytes, void (HttpSession::*then)());
  std::chrono::milliseconds time_to_take(std::size_t bytes) const;
  void ask_for_piece();
  void on_piece(BodySource::Piece piece);
  void finish_response();
  void close_orderly();
  void discard();
  void become_idle();

  const SessionHost& host_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
  std::string peer_;
  // Of the request in hand:
  bool keep_alive_ = false;
  bool with_body_ = true;
  bool is_chunked_ = false;
  std::shared_ptr<BodySource> source_;
  std::optional<std::uint64_t> unsent_;  // of what was promised of it
  BufferChain sending_;

  bool is_idle_ = false;
  bool has_ended_ = false;
};

}  // namespace gopline::http
