#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>

#include "common/http/http_server.h"
#include "common/http/message.h"
#include "common/http/tls.h"

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
// sends a byte now and then gains nothing; a TLS handshake is waited for as a request is. Used from the
// server's thread alone, which keeps it until its end.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  // `tls`: nullptr for a connection without.
  HttpSession(boost::asio::ip::tcp::socket socket, const SessionHost& host, TlsContextPtr tls);

  void start();
  void end();
  bool is_idle() const { return is_idle_; }

 private:
  using ErrorCode = boost::beast::error_code;
  using TlsStream = boost::asio::ssl::stream<boost::beast::tcp_stream&>;  // whose time-outs are the other's

  // Calls `use` with what bytes go through.
  template <typename Use>
  void with_stream(Use use) {
    if (tls_) return use(*tls_);
    use(stream_);
  }

  void await_request();
  void read_request();
  void on_request(ErrorCode error);
  Answer answer_once();
  void watch_for_leaving();
  void respond(Response response);
  void send(BufferChain bytes, void (HttpSession::*then)());
  std::chrono::milliseconds time_to_take(std::size_t bytes) const;
  void ask_for_piece();
  void on_piece(BodySource::Piece piece);
  void finish_response();
  void close_orderly();
  void shut_down_sending();
  void discard();
  void become_idle();

  const SessionHost& host_;
  boost::beast::tcp_stream stream_;
  TlsContextPtr tls_context_;
  std::optional<TlsStream> tls_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
  std::string peer_;
  // Of the request in hand:
  StopSource gone_;
  bool keep_alive_ = false;
  bool with_body_ = true;
  bool is_chunked_ = false;
  std::shared_ptr<BodySource> source_;
  std::optional<std::uint64_t> unsent_;  // of what was promised of it
  BufferChain sending_;

  bool is_watched_ = false;  // whether something comes from the client, while it waits
  bool is_idle_ = false;
  bool has_ended_ = false;
};

}  // namespace gopline::http
