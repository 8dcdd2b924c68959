#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace gopline::http {

inline constexpr std::size_t kMaxTargetBytes = 4096;

// What a request asks for (RFC 9112, 3.2.1, origin-form), taken apart before it is decoded: an encoded slash
// is a character of its segment and separates nothing, so "/streams/site-7%2Fdoor/x" has three segments.
struct RequestTarget {
  std::vector<std::string> path;                           // "/" has none
  std::vector<std::pair<std::string, std::string>> query;  // in order; a name without '=' has an empty value

  // The first parameter of that name.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

// Percent-decodes (RFC 3986: a plus is a plus). kInvalidArgument, in words for whoever asked: a form other
// than origin-form, an empty, "." or ".." segment, a bad escape, control characters, what is not UTF-8, more
// than kMaxTargetBytes.
Result<RequestTarget> parse_request_target(std::string_view target);

}  // namespace gopline::http
