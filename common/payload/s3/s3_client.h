#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer_chain.h"
#include "common/payload/blob_store.h"
#include "common/payload/s3/http_lane.h"
#include "common/payload/s3/s3_answer.h"
#include "common/payload/s3/s3_settings.h"
#include "common/payload/s3/sigv4.h"

namespace gopline::payload {

struct S3Request {
  std::string method;
  std::string object;  // the whole of its name, the prefix with it; empty: the bucket
  Fields query;
  Fields headers;  // names in lower case; all are signed
  BufferChain body;
  std::string sha256;               // of the body; empty: it is taken when the request begins
  std::optional<ByteRange> range;   // asks for it, and holds the answer to it
  std::span<std::uint8_t> into;     // where the bytes of the range go
  bool fails_late = false;          // may take minutes, and say 200 before an error
  std::optional<Duration> one_try;  // no second one, and no longer than this
};

// Signs requests, runs them side by side on the calling thread, and tries again what may pass. A lane (the
// connections that are open) is lent to each call and given back, so calls on several threads do not wait for
// one another and connections serve many calls. Thread-safe.
class S3Client {
 public:
  // `random`: numbers in [0, 1) for the waits between tries, from any thread.
  S3Client(S3Settings settings, std::shared_ptr<const Clock> clock, std::function<double()> random);
  ~S3Client();

  // The answer, good or bad, of each request; an error when one has none (kUnavailable, kPermissionDenied,
  // kCorrupt, kInvalidArgument, kCancelled). When one is refused those still running are given up, and their
  // answers have the status 0.
  Result<std::vector<S3Answer>> run(const std::vector<S3Request>& requests, const StopToken& stop);
  Result<S3Answer> run(S3Request request, const StopToken& stop);

  // A URL for a GET of the object without credentials.
  std::string presign(const std::string& object, std::int64_t seconds) const;

  std::string uri_of(const std::string& object) const;  // s3://BUCKET/OBJECT
  tl::unexpected<Error> failure(const std::string& object, const S3Answer& answer) const;
  const S3Settings& settings() const { return settings_; }
  Timestamp now() const;  // by the server's clock, as far as it told us
  std::size_t lanes_kept() const;

 private:
  friend class Batch;
  struct Address {
    std::string host, path;
  };
  Address address_of(const std::string& object) const;
  HttpRequest signed_request(const S3Request& request) const;
  bool take_server_time(const HttpResponse& response);
  Result<std::unique_ptr<HttpLane>> borrow_lane();
  void give_back(std::unique_ptr<HttpLane> lane);

  const S3Settings settings_;
  const std::shared_ptr<const Clock> clock_;
  const std::function<double()> random_;
  std::atomic<Duration::rep> ahead_{0};  // the server's clock, before ours
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<HttpLane>> lanes_;
};

}  // namespace gopline::payload
