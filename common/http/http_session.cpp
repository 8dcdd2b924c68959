#include "common/http/http_session.h"

#include <atomic>
#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

namespace gopline::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;

constexpr const char* kNoBody = "a request has no body here";
constexpr std::size_t kReadBytes = 4096;
constexpr auto kFarewellTime = std::chrono::seconds(1);

std::string_view view_of(beast::string_view text) {
  return {text.data(), text.size()};
}

// What to tell a client whose request could not be read; nullopt if it is not there to be told.
std::optional<Response> complaint_about(const beast::error_code& error) {
  if (error.category() != beast_http::make_error_code(beast_http::error::bad_method).category())
    return std::nullopt;
  if (error == beast_http::error::end_of_stream || error == beast_http::error::partial_message)
    return std::nullopt;
  if (error == beast_http::error::body_limit) return refuse(413, kNoBody);
  if (error == beast_http::error::header_limit) return refuse(431, "the request's header is too large");
  return refuse(400, "this is not an HTTP request: " + error.message());
}

Request request_of(const beast_http::request<beast_http::empty_body>& read, const std::string& peer) {
  Request request;
  request.method = view_of(read.method_string());
  request.target = view_of(read.target());
  for (const auto& field : read)
    request.headers.emplace_back(view_of(field.name_string()), view_of(field.value()));
  request.peer = peer;
  return request;
}

// RFC 9110, 15.3.5 and 15.4.5.
bool has_content(const Response& response) {
  return response.status != 304 && response.status != 204;
}

enum class Framing { kLength, kChunked, kUntilClose };

std::string header_of(const Response& response, Framing framing, bool keep_alive) {
  auto text = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  auto add = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{}: {}\r\n", name, value);
  };
  if (has_content(response)) add("Content-Type", response.content_type);
  add("Cache-Control", response.cache_control);
  for (const auto& [name, value] : response.headers) add(name, value);
  if (framing == Framing::kChunked) add("Transfer-Encoding", "chunked");
  if (framing == Framing::kLength && has_content(response))
    add("Content-Length", std::to_string(response.stream_size.value_or(response.body.size())));
  if (!keep_alive) add("Connection", "close");
  return text + "\r\n";
}

Buffer text_buffer(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  std::span bytes(reinterpret_cast<const std::uint8_t*>(owner->data()), owner->size());
  return {std::move(owner), bytes};
}

}  // namespace

HttpSession::HttpSession(asio::ip::tcp::socket socket, const SessionHost& host, TlsContextPtr tls)
    : host_(host), stream_(std::move(socket)), tls_context_(std::move(tls)) {
  if (tls_context_) tls_.emplace(stream_, *tls_context_);
  ErrorCode error;
  auto remote = stream_.socket().remote_endpoint(error);
  if (!error) peer_ = remote.address().to_string();
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), error);
}

void HttpSession::start() {
  if (!tls_) return read_request();
  stream_.expires_after(host_.limits.request_time);
  tls_->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](ErrorCode error) {
    if (error || self->has_ended_) return self->end();
    self->read_request();
  });
}

void HttpSession::end() {
  if (has_ended_) return;
  has_ended_ = true;
  gone_.request_stop();
  source_.reset();
  stream_.close();
  host_.on_end(*this);
}

void HttpSession::become_idle() {
  is_idle_ = true;
  host_.on_idle(*this);
}

// Between two requests a client has longer than it has to finish one that it began.
void HttpSession::await_request() {
  if (buffer_.size() > 0) return read_request();  // sent ahead
  stream_.expires_after(host_.limits.idle_time);
  become_idle();
  with_stream([&](auto& stream) {
    stream.async_read_some(buffer_.prepare(kReadBytes),
                           [self = shared_from_this()](ErrorCode error, std::size_t size) {
                             self->is_idle_ = false;
                             if (error || self->has_ended_) return self->end();
                             self->buffer_.commit(size);
                             self->read_request();
                           });
  });
}

void HttpSession::read_request() {
  parser_.emplace();
  parser_->header_limit(host_.limits.header_bytes);
  parser_->body_limit(0);
  stream_.expires_after(host_.limits.request_time);
  with_stream([&](auto& stream) {
    beast_http::async_read_header(
        stream, buffer_, *parser_,
        [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_request(error); });
  });
}

void HttpSession::on_request(ErrorCode error) {
  if (has_ended_) return;
  keep_alive_ = false;
  with_body_ = true;
  is_chunked_ = false;
  if (error) {
    auto complaint = complaint_about(error);
    return complaint ? respond(std::move(*complaint)) : end();
  }
  if (!parser_->is_done()) return respond(refuse(413, kNoBody));
  const auto& read = parser_->get();
  auto request = request_of(read, peer_);
  gone_ = StopSource();
  request.gone = gone_.get_token();
  keep_alive_ = read.keep_alive();
  with_body_ = request.method != "HEAD";
  is_chunked_ = read.version() >= 11;
  stream_.expires_never();  // it is not the client that is waited for
  auto answer = answer_once();
  try {
    host_.handler(request, answer);
  } catch (const std::exception& thrown) {
    answer(refuse(500, thrown.what()));
  }
  watch_for_leaving();
}

// Something to read and nothing in it is the client's end of the connection. It may still take its answer.
void HttpSession::watch_for_leaving() {
  if (is_watched_ || has_ended_) return;
  is_watched_ = true;
  stream_.socket().async_wait(asio::ip::tcp::socket::wait_read,
                              [self = shared_from_this(), watched = gone_](ErrorCode error) mutable {
                                self->is_watched_ = false;
                                ErrorCode unknown;
                                if (!error && self->stream_.socket().available(unknown) == 0 && !unknown)
                                  watched.request_stop();
                              });
}

// The server keeps a session until its end, so an answer that comes after that finds nobody.
Answer HttpSession::answer_once() {
  auto was_given = std::make_shared<std::atomic<bool>>(false);
  return [session = weak_from_this(), was_given](Response response) {
    auto self = session.lock();
    if (!self || was_given->exchange(true)) return;
    auto& stream = self->stream_;
    asio::dispatch(stream.get_executor(), [self = std::move(self), response = std::move(response)]() mutable {
      if (!self->has_ended_) self->respond(std::move(response));
    });
  };
}

void HttpSession::respond(Response response) {
  bool streams = response.stream != nullptr;
  bool has_size = !streams || response.stream_size;
  if (has_size) is_chunked_ = false;
  if (!has_size && !is_chunked_) keep_alive_ = false;
  auto framing = has_size ? Framing::kLength : is_chunked_ ? Framing::kChunked : Framing::kUntilClose;
  BufferChain out(text_buffer(header_of(response, framing, keep_alive_)));
  bool has_body = with_body_ && has_content(response);
  if (streams && has_body) {
    source_ = std::move(response.stream);
    unsent_ = response.stream_size;
    return send(std::move(out), &HttpSession::ask_for_piece);
  }
  if (has_body) out.append(response.body);
  send(std::move(out), &HttpSession::finish_response);
}

std::chrono::milliseconds HttpSession::time_to_take(std::size_t bytes) const {
  auto time = host_.limits.response_time;
  auto slowest = host_.limits.slowest_bytes_per_second;
  if (slowest > 0) time += std::chrono::milliseconds(1000 * bytes / slowest);
  return time;
}

// Header and payload leave as they lie, gathered by the kernel.
void HttpSession::send(BufferChain bytes, void (HttpSession::*then)()) {
  sending_ = std::move(bytes);
  std::vector<asio::const_buffer> views;
  views.reserve(sending_.buffers().size());
  for (const auto& buffer : sending_.buffers()) views.emplace_back(buffer.data(), buffer.size());
  stream_.expires_after(time_to_take(sending_.size()));
  with_stream([&](auto& stream) {
    asio::async_write(stream, views, [self = shared_from_this(), then](ErrorCode error, std::size_t) {
      self->sending_ = {};  // megabytes
      if (error || self->has_ended_) return self->end();
      self->stream_.expires_never();
      ((*self).*then)();
    });
  });
}

void HttpSession::ask_for_piece() {
  auto source = source_;  // which may end within the call
  source->next([session = weak_from_this()](BodySource::Piece piece) {
    auto self = session.lock();
    if (!self) return;
    auto& stream = self->stream_;
    asio::dispatch(stream.get_executor(), [self = std::move(self), piece = std::move(piece)]() mutable {
      if (!self->has_ended_) self->on_piece(std::move(piece));
    });
  });
}

// Chunked coding (RFC 9112, 7.1). A failure breaks the connection off: the client must not take what it has
// for the whole.
void HttpSession::on_piece(BodySource::Piece piece) {
  if (!piece) return end();
  if (!*piece) {
    source_.reset();
    if (unsent_.value_or(0) > 0) return end();
    if (!is_chunked_) return finish_response();
    return send(BufferChain(text_buffer("0\r\n\r\n")), &HttpSession::finish_response);
  }
  const auto& bytes = **piece;
  if (bytes.empty()) return ask_for_piece();
  if (unsent_ && bytes.size() > *unsent_) return end();
  if (unsent_) *unsent_ -= bytes.size();
  if (!is_chunked_) return send(std::move(**piece), &HttpSession::ask_for_piece);
  BufferChain out(text_buffer(fmt::format("{:x}\r\n", bytes.size())));
  out.append(bytes);
  out.append(text_buffer("\r\n"));
  send(std::move(out), &HttpSession::ask_for_piece);
}

void HttpSession::finish_response() {
  return keep_alive_ ? await_request() : close_orderly();
}

// Closing while the client still sends would take the answer away from under it: first it is told that no
// more comes, and what it sends until it has understood is thrown away.
void HttpSession::close_orderly() {
  stream_.expires_after(kFarewellTime);
  become_idle();
  if (!tls_) return shut_down_sending();
  // RFC 8446, 6.1: without it the client could not tell an end from bytes that somebody cut off.
  tls_->async_shutdown([self = shared_from_this()](ErrorCode error) {
    if (error || self->has_ended_) return self->end();
    self->shut_down_sending();
  });
}

void HttpSession::shut_down_sending() {
  ErrorCode ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  discard();
}

// Below TLS: what it says does not matter any more.
void HttpSession::discard() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, std::size_t) {
                            return error ? self->end() : self->discard();
                          });
}

}  // namespace gopline::http
