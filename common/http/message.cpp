#include "common/http/message.h"

#include <algorithm>
#include <cctype>

#include "common/base/text.h"

namespace gopline::http {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> header_in(const std::vector<std::pair<std::string, std::string>>& headers,
                                          std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

// If-None-Match compares weakly: a list of tags, or "*".
bool names_tag(std::string_view list, std::string_view tag) {
  if (list == "*") return true;
  while (!list.empty()) {
    auto comma = list.find(',');
    auto one = list.substr(0, comma);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

struct ByteRange {
  std::uint64_t first = 0, last = 0;  // both inside
};
enum class RangeKind { kNone, kOne, kUnsatisfiable };

// "bytes=0-99", "bytes=100-", "bytes=-50". What is no such range is passed over (RFC 9110, 14.2).
RangeKind parse_range(std::string_view text, std::uint64_t size, ByteRange& range) {
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit)) return RangeKind::kNone;
  text.remove_prefix(kUnit.size());
  auto dash = text.find('-');
  if (dash == std::string_view::npos) return RangeKind::kNone;
  auto first = text.substr(0, dash), last = text.substr(dash + 1);
  auto begin = parse_int64(first), end = parse_int64(last);
  if ((!first.empty() && (!begin || *begin < 0)) || (!last.empty() && (!end || *end < 0)))
    return RangeKind::kNone;
  if (first.empty()) {
    if (last.empty()) return RangeKind::kNone;
    if (*end == 0 || size == 0) return RangeKind::kUnsatisfiable;
    auto count = std::min(static_cast<std::uint64_t>(*end), size);
    range = {size - count, size - 1};
    return RangeKind::kOne;
  }
  if (!last.empty() && *end < *begin) return RangeKind::kNone;
  if (static_cast<std::uint64_t>(*begin) >= size) return RangeKind::kUnsatisfiable;
  range = {static_cast<std::uint64_t>(*begin),
           last.empty() ? size - 1 : std::min(static_cast<std::uint64_t>(*end), size - 1)};
  return RangeKind::kOne;
}

// Some bytes of a source that has to make those before them too.
class RangeSource final : public BodySource, public std::enable_shared_from_this<RangeSource> {
 public:
  RangeSource(std::shared_ptr<BodySource> source, const ByteRange& range)
      : source_(std::move(source)), skip_(range.first), left_(range.last - range.first + 1) {}

  void next(std::function<void(Piece)> done) override {
    if (left_ == 0) return done(std::nullopt);
    source_->next([self = shared_from_this(), done = std::move(done)](Piece piece) {
      if (!piece || !*piece) return done(std::move(piece));
      auto bytes = self->cut(**piece);
      if (bytes.empty()) return self->next(done);
      done(std::move(bytes));
    });
  }

 private:
  BufferChain cut(const BufferChain& bytes) {
    auto skipped = std::min<std::uint64_t>(skip_, bytes.size());
    skip_ -= skipped;
    auto given = std::min<std::uint64_t>(left_, bytes.size() - skipped);
    left_ -= given;
    return given > 0 ? bytes.share(skipped, given) : BufferChain();
  }

  std::shared_ptr<BodySource> source_;
  std::uint64_t skip_, left_;
};

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const {
  return header_in(headers, name);
}

Response respond(unsigned status, std::string_view content_type, std::string text) {
  Response response;
  response.status = status;
  response.content_type = content_type;
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  response.body = BufferChain(Buffer::take(std::move(bytes)));
  return response;
}

Response refuse(unsigned status, std::string_view sentence) {
  return respond(status, Response{}.content_type, std::string(sentence) + "\n");
}

bool asks_for_range(const Request& request, std::string_view tag) {
  auto range = request.header("Range"), only_if = request.header("If-Range");
  return range && *range != "bytes=0-" && (!only_if || *only_if == tag);
}

Response as_asked(const Request& request, Response response) {
  if (response.status != 200) return response;
  auto tag = header_in(response.headers, "ETag");
  auto unless = request.header("If-None-Match");
  if (tag && unless && names_tag(*unless, *tag)) {
    response.status = 304;
    response.body = {};
    response.stream = nullptr;
    return response;
  }
  auto wanted = request.header("Range");
  auto only_if = request.header("If-Range");
  if (!wanted || (only_if && only_if != tag) || (response.stream && !response.stream_size)) return response;
  ByteRange range;
  auto size = response.stream ? *response.stream_size : response.body.size();
  switch (parse_range(*wanted, size, range)) {
    case RangeKind::kNone:
      break;
    case RangeKind::kUnsatisfiable:
      response = refuse(416, "there are no such bytes");
      response.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
      break;
    case RangeKind::kOne:
      response.status = 206;
      response.headers.emplace_back("Content-Range",
                                    fmt::format("bytes {}-{}/{}", range.first, range.last, size));
      if (response.stream) {
        response.stream_size = range.last - range.first + 1;
        response.stream = std::make_shared<RangeSource>(std::move(response.stream), range);
      } else {
        response.body = response.body.share(range.first, range.last - range.first + 1);
      }
  }
  return response;
}

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "";
  }
}

}  // namespace gopline::http
