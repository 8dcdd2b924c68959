#include "common/payload/s3/s3_put.h"

#include <algorithm>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/payload/blob_key.h"

namespace gopline::payload {
namespace {

constexpr std::uint64_t kMostParts = 10'000;       // S3's limits,
constexpr std::uint64_t kMostCopied = 5ULL << 30;  // of one copy
constexpr int kAbsentAsARule = 3;                  // objects in a row
constexpr Duration kAbortWithin = std::chrono::seconds(3);
constexpr Duration kAsYoungAsTold = std::chrono::seconds(2);  // times come in whole seconds

bool is_refusal_of_conditions(const S3Answer& answer) {
  return answer.http.status == 501 || answer.error.code == "NotImplemented";
}

bool may_pass(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kCorrupt;
}

// The first that was refused, or nullptr.
const S3Answer* refused_one(const std::vector<S3Answer>& answers) {
  auto found = std::find_if(answers.begin(), answers.end(),
                            [](const S3Answer& one) { return one.http.status != 0 && !one.ok(); });
  return found == answers.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::uint64_t> size_of(const S3Answer& answer) {
  auto size = parse_int64(answer.http.header("content-length"));
  if (!size || *size < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*size);
}

Result<S3Answer> S3Put::head(const std::string& object, const StopToken& stop, bool explain_missing) {
  S3Request request;
  request.method = "HEAD";
  request.object = object;
  GOPLINE_ASSIGN(auto answer, client_.run(request, stop));
  if (answer.ok() || (answer.http.status == 404 && !explain_missing)) return answer;
  request.method = "GET";
  request.headers.emplace_back("range", "bytes=0-0");
  GOPLINE_ASSIGN(auto explained, client_.run(std::move(request), stop));
  return explained.ok() || explained.error.code.empty() ? answer : explained;
}

Result<bool> S3Put::put(const std::string& object, const BufferChain& bytes, const std::string& sha256,
                        const StopToken& stop) {
  if (!asks_first(bytes.size())) {
    auto sent = send_whole(object, bytes, sha256, true, stop);
    if (sent && *sent == Sent::kStored) return false;
    // It is there, or no answer has come: a server may refuse and close before it has read everything.
    abilities_.absent_in_a_row = 0;
  }
  GOPLINE_ASSIGN(auto known, head(object, stop));
  if (!known.ok() && known.http.status != 404) return client_.failure(object, known);
  if (known.ok()) {
    abilities_.absent_in_a_row = 0;
  } else {
    ++abilities_.absent_in_a_row;
  }
  bool replaces = known.ok() && size_of(known) != bytes.size();
  if (known.ok() && !replaces) {
    auto renewed = renew(object, bytes.size(), known, stop);
    if (renewed && *renewed) return true;
    if (!renewed) {
      bool cannot_copy = renewed.error().code == ErrorCode::kUnsupported ||
                         renewed.error().code == ErrorCode::kInvalidArgument;
      if (!cannot_copy) return tl::unexpected<Error>(std::move(renewed.error()));
      replaces = true;  // sent again it is young, too
    }
  }
  auto condition = !replaces && abilities_.conditional_put;
  auto tried = send(object, bytes, sha256, condition, stop);
  if (!tried && condition && may_pass(tried.error().code)) {
    GOPLINE_ASSIGN(auto meanwhile, head(object, stop));
    if (meanwhile.ok() && size_of(meanwhile) == bytes.size()) return false;
    tried = send(object, bytes, sha256, false, stop);
  }
  GOPLINE_ASSIGN(auto sent, std::move(tried));
  if (sent == Sent::kStored) return false;
  // Quicker was whoever writes the same bytes, or something else under their name: that is replaced.
  GOPLINE_ASSIGN(auto other, head(object, stop));
  if (other.ok() && size_of(other) == bytes.size()) return true;
  GOPLINE_ASSIGN(sent, send(object, bytes, sha256, false, stop));
  return false;
}

bool S3Put::asks_first(std::uint64_t size) const {
  return !abilities_.conditional_put || abilities_.absent_in_a_row < kAbsentAsARule ||
         size > client_.settings().multipart_threshold;
}

Result<S3Put::Sent> S3Put::send(const std::string& object, const BufferChain& bytes,
                                const std::string& sha256, bool conditional, const StopToken& stop) {
  if (bytes.size() > client_.settings().multipart_threshold)
    return send_parts(object, bytes, conditional, stop);
  return send_whole(object, bytes, sha256, conditional, stop);
}

Fields S3Put::creation_headers(bool conditional) const {
  Fields headers;
  const auto& settings = client_.settings();
  if (conditional) headers.emplace_back("if-none-match", "*");
  if (!settings.sse.empty()) headers.emplace_back("x-amz-server-side-encryption", settings.sse);
  if (!settings.sse_kms_key_id.empty()) {
    headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", settings.sse_kms_key_id);
  }
  return headers;
}

// After an answer to the request that would have made the object visible.
Result<S3Put::Sent> S3Put::judge(const std::string& object, const S3Answer& answer, std::uint64_t size,
                                 const StopToken& stop) {
  if (answer.ok()) return Sent::kStored;
  bool was_there = answer.http.status == 412 || answer.http.status == 409;
  // A try before, whose answer was lost, may have done it; libcurl too sends again on a connection that was
  // gone.
  if ((was_there && answer.tries > 1) || answer.error.code == "NoSuchUpload") {
    GOPLINE_ASSIGN(auto known, head(object, stop));
    if (known.ok() && size_of(known) == size) return Sent::kStored;
  }
  if (was_there) return Sent::kSomebodyWasThere;
  return client_.failure(object, answer);
}

Result<S3Put::Sent> S3Put::send_whole(const std::string& object, const BufferChain& bytes,
                                      const std::string& sha256, bool conditional, const StopToken& stop) {
  S3Request request;
  request.method = "PUT";
  request.object = object;
  request.headers = creation_headers(conditional);
  request.body = bytes;
  request.sha256 = sha256;
  if (conditional) request.one_try = client_.settings().patience;
  GOPLINE_ASSIGN(auto answer, client_.run(std::move(request), stop));
  if (conditional && is_refusal_of_conditions(answer)) {
    abilities_.conditional_put = false;
    return send_whole(object, bytes, sha256, false, stop);
  }
  return judge(object, answer, bytes.size(), stop);
}

std::uint64_t S3Put::part_size(std::uint64_t size) const {
  return std::max(client_.settings().part_size, (size + kMostParts - 1) / kMostParts);
}

Result<S3Put::Sent> S3Put::send_parts(const std::string& object, const BufferChain& bytes, bool conditional,
                                      const StopToken& stop) {
  GOPLINE_ASSIGN(auto id, begin_upload(object, stop));
  std::vector<S3Request> requests;
  for (std::uint64_t at = 0, each = part_size(bytes.size()); at < bytes.size(); at += each) {
    auto& part = requests.emplace_back();
    part.method = "PUT";
    part.object = object;
    part.query = {{"partNumber", std::to_string(requests.size())}, {"uploadId", id}};
    part.body = bytes.share(at, std::min<std::uint64_t>(each, bytes.size() - at));
  }
  auto sent = [&]() -> Result<Sent> {
    GOPLINE_ASSIGN(auto answers, client_.run(requests, stop));
    if (const auto* refused = refused_one(answers)) return client_.failure(object, *refused);
    std::vector<std::string> etags;
    for (const auto& answer : answers) etags.push_back(answer.http.header("etag"));
    GOPLINE_ASSIGN(auto answer, complete_upload(object, id, etags, conditional, stop));
    if (conditional && is_refusal_of_conditions(answer)) {
      abilities_.conditional_put = false;
      GOPLINE_ASSIGN(answer, complete_upload(object, id, etags, false, stop));
    }
    return judge(object, answer, bytes.size(), stop);
  }();
  if (!sent || *sent != Sent::kStored) abort_upload(object, id);
  return sent;
}

Result<std::string> S3Put::begin_upload(const std::string& object, const StopToken& stop) {
  S3Request request;
  request.method = "POST";
  request.object = object;
  request.query = {{"uploads", ""}};
  request.headers = creation_headers(false);
  GOPLINE_ASSIGN(auto answer, client_.run(std::move(request), stop));
  if (!answer.ok()) return client_.failure(object, answer);
  auto id = parse_upload_id(answer.http.text);
  if (!id) return fail_with_context(client_.uri_of(object), std::move(id.error()));
  return id;
}

Result<S3Answer> S3Put::complete_upload(const std::string& object, const std::string& id,
                                        const std::vector<std::string>& etags, bool conditional,
                                        const StopToken& stop) {
  S3Request request;
  request.method = "POST";
  request.object = object;
  request.query = {{"uploadId", id}};
  if (conditional) request.headers.emplace_back("if-none-match", "*");
  request.body = BufferChain(Buffer::copy(complete_upload_xml(etags)));
  request.fails_late = true;
  return client_.run(std::move(request), stop);
}

// Once and quickly, also when the call was stopped: what this leaves, collect_unfinished() finds.
void S3Put::abort_upload(const std::string& object, const std::string& id) {
  S3Request request;
  request.method = "DELETE";
  request.object = object;
  request.query = {{"uploadId", id}};
  request.one_try = kAbortWithin;
  auto answer = client_.run(std::move(request), {});
  if (answer && (answer->ok() || answer->http.status == 404)) return;
  log_debug(client_.uri_of(object), "the parts of a broken upload stay behind for now: {}",
            answer ? std::to_string(answer->http.status) : answer.error().message);
}

std::string S3Put::source_of(const std::string& object) const {
  return "/" + client_.settings().bucket + "/" + encode_path(object);
}

// The store copies the object onto itself. Some change nothing then but what they know about it; its age is
// made anew by an upload whose parts it copies from the object.
Result<bool> S3Put::renew(const std::string& object, std::uint64_t size, const S3Answer& known,
                          const StopToken& stop) {
  if (!abilities_.copy_renews || size > kMostCopied) return copy_parts(object, size, stop);
  S3Request request;
  request.method = "PUT";
  request.object = object;
  request.headers = creation_headers(false);
  request.headers.emplace_back("x-amz-copy-source", source_of(object));
  request.headers.emplace_back("x-amz-metadata-directive", "REPLACE");
  request.fails_late = true;
  GOPLINE_ASSIGN(auto answer, client_.run(std::move(request), stop));
  if (answer.http.status == 404) return false;
  if (answer.http.status == 403) return client_.failure(object, answer);
  auto before = parse_http_date(known.http.header("last-modified"));
  auto copied = parse_copy_result(answer.http.text);
  auto server_time = parse_http_date(answer.http.header("date"));
  if (answer.ok() && copied && copied->modified && before) {
    if (*copied->modified > *before) return true;
    if (server_time && *server_time - *before <= kAsYoungAsTold) return true;  // it was put just now
  }
  abilities_.copy_renews = false;
  return copy_parts(object, size, stop);
}

Result<bool> S3Put::copy_parts(const std::string& object, std::uint64_t size, const StopToken& stop) {
  if (size == 0) {  // no part to copy
    GOPLINE_ASSIGN(auto sent, send_whole(object, {}, std::string(kEmptySha256), false, stop));
    return sent == Sent::kStored;
  }
  GOPLINE_ASSIGN(auto id, begin_upload(object, stop));
  std::vector<S3Request> requests;
  for (std::uint64_t at = 0; at < size; at += kMostCopied) {
    auto& part = requests.emplace_back();
    part.method = "PUT";
    part.object = object;
    part.query = {{"partNumber", std::to_string(requests.size())}, {"uploadId", id}};
    part.headers = {{"x-amz-copy-source", source_of(object)},
                    {"x-amz-copy-source-range",
                     fmt::format("bytes={}-{}", at, at + std::min(kMostCopied, size - at) - 1)}};
    part.fails_late = true;
  }
  auto done = [&]() -> Result<bool> {
    GOPLINE_ASSIGN(auto answers, client_.run(requests, stop));
    if (const auto* refused = refused_one(answers)) {
      if (refused->http.status == 404) return false;
      return client_.failure(object, *refused);
    }
    std::vector<std::string> etags;
    for (const auto& answer : answers) {
      auto copied = parse_copy_result(answer.http.text);
      if (!copied) return fail_with_context(client_.uri_of(object), std::move(copied.error()));
      etags.push_back(std::move(copied->etag));
    }
    GOPLINE_ASSIGN(auto answer, complete_upload(object, id, etags, false, stop));
    GOPLINE_TRY(judge(object, answer, size, stop));
    return true;
  }();
  if (!done || !*done) abort_upload(object, id);
  return done;
}

}  // namespace gopline::payload
