#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer_chain.h"

namespace gopline::http {

// A request without a body: no other is taken.
struct Request {
  std::string method;
  std::string target;  // as it came: see parse_request_target()
  std::vector<std::pair<std::string, std::string>> headers;
  std::string peer;  // the client's address, without its port
  // Requested once the client is seen to have gone while its answer is made: what is dear and made for it
  // alone can be left.
  StopToken gone;

  // The first header of that name, in any case (RFC 9110, 5.1); nullopt: it is not there.
  std::optional<std::string_view> header(std::string_view name) const;
};

// A body that comes piece by piece. The session asks for the next piece once the one before has been sent, so
// a slow client holds one piece. Destroyed when the client is gone.
class BodySource {
 public:
  using Piece = Result<std::optional<BufferChain>>;  // nullopt: the end. An error breaks the connection off
  virtual ~BodySource() = default;
  // Calls `done` once, from any thread, now or later. Must not block. Not called again before that.
  virtual void next(std::function<void(Piece)> done) = 0;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string cache_control = "no-store";
  std::vector<std::pair<std::string, std::string>> headers;  // further ones; values without line ends
  BufferChain body;                                          // shared until it is sent, never copied
  std::shared_ptr<BodySource> stream;                        // instead of `body`
  std::optional<std::uint64_t> stream_size;                  // of all its pieces, where that is known
};

// Of text that was just made.
Response respond(unsigned status, std::string_view content_type, std::string text);

// A sentence for whoever asked: text/plain.
Response refuse(unsigned status, std::string_view sentence);

// What a conditional or range request gets instead of `response` (RFC 9110, 13.1.2 If-None-Match, 13.1.5
// If-Range, 14.2 Range: one range of bytes; of several, all, and of a stream whose size is not known). Of a
// stream what comes before the range is thrown away. Responses other than 200 stay as they are.
Response as_asked(const Request& request, Response response);

// Whether as_asked() will look for a range in a response with this ETag, and not the one that is everything:
// then it is worth to know a stream's size.
bool asks_for_range(const Request& request, std::string_view tag);

// "OK", "Not Found"; empty for a status that has no name here.
std::string_view reason_phrase(unsigned status);

}  // namespace gopline::http
