#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/http/message.h"

namespace gopline::http {

// What one client, or many, can take from the process.
struct ServerLimits {
  std::size_t connections = 64;       // at once; idle ones make room for new ones, others make them wait
  std::uint32_t header_bytes = 8192;  // of a request
  std::chrono::milliseconds request_time{5000};  // for a request to arrive, from its first byte
  std::chrono::milliseconds idle_time{60'000};   // between two requests
  std::chrono::milliseconds response_time{
      30'000};                                 // for a client to take its answer, or a piece of a stream,
  std::uint32_t slowest_bytes_per_second = 0;  // and this much longer the larger it is; 0: no longer
};

// What a server proves by TLS who it is with: files in PEM.
struct TlsFiles {
  std::string certificate;  // and those that vouch for it behind it
  std::string key;          // without a password
};

// Takes the answer to one request; may be called from any thread, once. Calling it when the client has gone,
// or never, harms nobody.
using Answer = std::function<void(Response)>;

// Answers a request, now or later. Called on the server's thread, which answers nobody meanwhile: it must not
// block. HEAD is asked as it comes; the connection leaves the body out. An exception becomes a 500.
using Handler = std::function<void(const Request& request, Answer answer)>;

// HTTP/1.1, over TLS or not, on one thread of its own.
class HttpServer {
 public:
  // Listens at `address` (parse_listen_address) before it returns. The error says the address, `what` is
  // served there ("metrics"), and why: kInvalidArgument if it is none, kConflict if another program has it,
  // kPermissionDenied, kNotFound for a name that does not resolve. What `handler` looks at outlives the
  // server. `tls`: whoever does not speak it is not answered.
  static Result<std::unique_ptr<HttpServer>> start(std::string_view address, std::string_view what,
                                                   Handler handler, const ServerLimits& limits = {},
                                                   const std::optional<TlsFiles>& tls = {});

  // Reads key and certificate again: connections that come are given the new ones, those that are there keep
  // theirs. After an error it goes on with what it had. From any thread; of a server with TLS.
  Result<void> reload_tls();

  // Ends at once: no answer is waited for, but one that is being made. Joins the thread. Nobody may be
  // calling an Answer any more: whoever gives them from other threads stops before.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string address() const;  // "127.0.0.1:9100", with the port that was found for 0
  std::uint16_t port() const;

 private:
  class Listener;
  explicit HttpServer(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

}  // namespace gopline::http
