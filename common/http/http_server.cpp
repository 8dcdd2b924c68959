#include "common/http/http_server.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/http/http_session.h"
#include "common/http/listen_address.h"
#include "common/http/tls.h"

namespace gopline::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using SystemError = boost::system::error_code;

// For a descriptor or memory to come free, when a connection cannot be taken.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

tl::unexpected<Error> cannot_listen(std::string_view what, std::string_view address,
                                    const SystemError& error) {
  auto because = [&](ErrorCode code, std::string_view why) {
    return fail(code, "cannot serve {} at {}: {}", what, address, why);
  };
  if (error == asio::error::address_in_use) {
    return because(ErrorCode::kConflict, "another program listens there; name another port");
  }
  if (error == asio::error::access_denied) {
    return because(ErrorCode::kPermissionDenied, "not permitted; ports below 1024 are for root");
  }
  if (error.value() == EADDRNOTAVAIL) {
    return because(ErrorCode::kInvalidArgument, "this machine does not have that address");
  }
  return because(ErrorCode::kIo, error.message());
}

// Programs that this one starts have no use for its connections.
void keep_from_children(int descriptor) {
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

}  // namespace

// All but the constructor, open() and stop() runs on the one thread.
class HttpServer::Listener {
 public:
  Listener(std::string_view what, Handler handler, const ServerLimits& limits,
           const std::optional<TlsFiles>& tls)
      : what_(what),
        tls_files_(tls),
        host_{std::move(handler), [this](HttpSession&) { accept(); },
              [this](HttpSession& session) { forget(session); }, limits} {}
  ~Listener() { stop(); }

  Result<void> open(const ListenAddress& address) {
    if (tls_files_) {
      GOPLINE_ASSIGN(tls_, make_tls_context(*tls_files_));
    }
    SystemError error;
    auto flags = tcp::resolver::passive | tcp::resolver::numeric_service;
    auto found = tcp::resolver(io_).resolve(address.host, std::to_string(address.port), flags, error);
    if (error) {
      return fail(ErrorCode::kNotFound, "cannot serve {} at {}: no such host ({})", what_, to_string(address),
                  error.message());
    }
    for (const auto& candidate : found) {
      error = listen_at(candidate.endpoint());
      if (!error) break;
    }
    if (error) return cannot_listen(what_, to_string(address), error);
    local_ = acceptor_.local_endpoint();
    thread_ = std::thread([this] {
      accept();
      io_.run();
    });
    return {};
  }

  Result<void> reload_tls() {
    GOPLINE_ASSIGN(auto fresh, make_tls_context(*tls_files_));
    asio::post(io_, [this, fresh = std::move(fresh)] { tls_ = fresh; });
    return {};
  }

  const tcp::endpoint& local() const { return local_; }

 private:
  SystemError listen_at(const tcp::endpoint& endpoint) {
    SystemError error;
    acceptor_ = tcp::acceptor(io_);
    acceptor_.open(endpoint.protocol(), error);
    if (error) return error;
    keep_from_children(acceptor_.native_handle());
    acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    return error;
  }

  // Keeps one connection being accepted as long as there is room for it.
  void accept() {
    if (is_accepting_ || !acceptor_.is_open() || !has_room()) return;
    is_accepting_ = true;
    acceptor_.async_accept([this](SystemError error, tcp::socket socket) {
      is_accepting_ = false;
      if (!acceptor_.is_open()) return;  // a connection that came while the server stopped
      if (error) return accept_later();
      keep_from_children(socket.native_handle());
      auto session = std::make_shared<HttpSession>(std::move(socket), host_, tls_);
      sessions_.push_back(session);
      session->start();
      accept();
    });
  }

  void accept_later() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](SystemError) { accept(); });
  }

  // At the limit the connection that was there first and is not in use makes room.
  bool has_room() {
    if (sessions_.size() < host_.limits.connections) return true;
    auto idle =
        std::find_if(sessions_.begin(), sessions_.end(), [](auto& session) { return session->is_idle(); });
    if (idle == sessions_.end()) return false;
    std::shared_ptr(*idle)->end();  // which takes it off the list
    return true;
  }

  void forget(HttpSession& session) {
    std::erase_if(sessions_, [&](auto& other) { return other.get() == &session; });
    asio::post(io_, [this] { accept(); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      SystemError ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      for (const auto& session : std::vector(sessions_)) session->end();
    });
    thread_.join();
  }

  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  tcp::endpoint local_;
  const std::string what_;
  const std::optional<TlsFiles> tls_files_;
  TlsContextPtr tls_;  // nullptr: none
  const SessionHost host_;
  std::vector<std::shared_ptr<HttpSession>> sessions_;  // in the order they came
  bool is_accepting_ = false;
  std::thread thread_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(std::string_view address, std::string_view what,
                                                      Handler handler, const ServerLimits& limits,
                                                      const std::optional<TlsFiles>& tls) {
  GOPLINE_ASSIGN(auto parsed, parse_listen_address(address));
  auto listener = std::make_unique<Listener>(what, std::move(handler), limits, tls);
  GOPLINE_TRY(listener->open(parsed));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(listener)));
}

HttpServer::HttpServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
HttpServer::~HttpServer() = default;

Result<void> HttpServer::reload_tls() {
  return listener_->reload_tls();
}

std::string HttpServer::address() const {
  return to_string(ListenAddress{listener_->local().address().to_string(), port()});
}

std::uint16_t HttpServer::port() const {
  return listener_->local().port();
}

}  // namespace gopline::http
