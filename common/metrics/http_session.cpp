#include "common/metrics/http_session.h"

#include <utility>

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace gopline::metrics {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr const char* kNoBody = "a request has no body here";
constexpr std::size_t kReadBytes = 4096;
constexpr auto kFarewellTime = std::chrono::seconds(1);

std::string_view view_of(beast::string_view text) {
  return {text.data(), text.size()};
}

// What to tell a client whose request could not be read; nullopt if it is not there to be told.
std::optional<HttpAnswer> complaint_about(const beast::error_code& error) {
  if (error.category() != http::make_error_code(http::error::bad_method).category()) return std::nullopt;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error == http::error::body_limit) return refusal(413, kNoBody);
  if (error == http::error::header_limit) return refusal(431, "the request's header is too large");
  return refusal(400, "this is not an HTTP request: " + error.message());
}

}  // namespace

HttpSession::HttpSession(boost::asio::ip::tcp::socket socket, const SessionHost& host)
    : host_(host), stream_(std::move(socket)) {}

void HttpSession::start() {
  read_request();
}

void HttpSession::end() {
  if (has_ended_) return;
  has_ended_ = true;
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
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, std::size_t size) {
                            self->is_idle_ = false;
                            if (error || self->has_ended_) return self->end();
                            self->buffer_.commit(size);
                            self->read_request();
                          });
}

void HttpSession::read_request() {
  parser_.emplace();
  parser_->header_limit(host_.limits.header_bytes);
  parser_->body_limit(0);
  stream_.expires_after(host_.limits.request_time);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_request(error); });
}

void HttpSession::on_request(ErrorCode error) {
  if (has_ended_) return;
  if (error) {
    auto complaint = complaint_about(error);
    return complaint ? respond(std::move(*complaint), false) : end();
  }
  if (!parser_->is_done()) return respond(refusal(413, kNoBody), false);
  const auto& request = parser_->get();
  auto method = view_of(request.method_string());
  respond(host_.answer(method, view_of(request.target())), request.keep_alive(), method != "HEAD");
}

void HttpSession::respond(HttpAnswer answer, bool keep_alive, bool with_body) {
  response_ = {};
  response_.result(answer.status);
  response_.set(http::field::content_type, answer.content_type);
  response_.set(http::field::cache_control, "no-store");
  if (!answer.allow.empty()) response_.set(http::field::allow, answer.allow);
  response_.content_length(answer.body.size());
  response_.keep_alive(keep_alive);
  if (with_body) response_.body() = std::move(answer.body);
  stream_.expires_after(host_.limits.response_time);
  http::async_write(stream_, response_,
                    [self = shared_from_this(), keep_alive](ErrorCode error, std::size_t) {
                      self->response_ = {};  // megabytes, with many streams
                      if (error || self->has_ended_) return self->end();
                      return keep_alive ? self->await_request() : self->close_orderly();
                    });
}

// Closing while the client still sends would take the answer away from under it: first it is told that no
// more comes, and what it sends until it has understood is thrown away.
void HttpSession::close_orderly() {
  ErrorCode ignored;
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  stream_.expires_after(kFarewellTime);
  become_idle();
  discard();
}

void HttpSession::discard() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, std::size_t) {
                            return error ? self->end() : self->discard();
                          });
}

}  // namespace gopline::metrics
