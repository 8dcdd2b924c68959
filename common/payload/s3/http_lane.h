#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/bytes/buffer_chain.h"

namespace gopline::payload {

struct HttpRequest {
  std::string method;  // GET, HEAD, PUT, POST, DELETE
  std::string url;
  std::vector<std::string> headers;  // "name: value"
  BufferChain body;                  // of PUT and POST; never copied
  std::span<std::uint8_t> into;      // where the body of a 206 or 200 goes; empty: into HttpResponse::text
  std::string ca_file;
  Duration connect_timeout{};
  Duration stall_timeout{};            // below 1 kB/s for so long
  std::optional<Duration> time_limit;  // of the whole exchange
};

struct HttpResponse {
  int status = 0;                              // 0: there was no answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string text;                            // the body, where it did not go into the request's memory
  std::uint64_t received = 0;                  // bytes in that memory
  std::string header(const std::string& name) const;
};

// How an exchange ended below HTTP.
enum class HttpEnd {
  kAnswered,   // all of the answer is there
  kBroken,     // refused, cut, timed out: may pass
  kDamaged,    // more than asked for, or no HTTP
  kUntrusted,  // the certificate is not one we trust
  kUnusable,   // the request cannot be made at all: a file of certificates that is not there, a bad URL
};

struct HttpOutcome {
  std::size_t slot = 0;
  HttpEnd end = HttpEnd::kAnswered;
  std::string problem;  // for people; empty when answered
  HttpResponse response;
};

// "Sun, 06 Nov 1994 08:49:37 GMT", as in the headers Date and Last-Modified.
std::optional<Timestamp> parse_http_date(const std::string& text);

// Several exchanges at once on the calling thread, on connections that stay open for the next ones: libcurl's
// multi interface. One thread at a time uses a lane; wake() alone may come from others.
class HttpLane {
 public:
  static Result<std::unique_ptr<HttpLane>> make();
  ~HttpLane();
  HttpLane(const HttpLane&) = delete;
  HttpLane& operator=(const HttpLane&) = delete;

  // Begins an exchange; `request` has to stay where it is until it ends. kInternal when there is no memory.
  Result<void> start(std::size_t slot, const HttpRequest& request);
  // Those that have ended: at once if there are any, else waits until one ends, `at_most` passes, or wake().
  std::vector<HttpOutcome> wait(Duration at_most);
  void wake();
  // Ends all exchanges without an outcome.
  void abandon();
  std::size_t running() const;

 private:
  struct State;
  struct Transfer;
  explicit HttpLane(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gopline::payload
