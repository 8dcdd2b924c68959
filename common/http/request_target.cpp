#include "common/http/request_target.h"

#include <algorithm>

#include "common/base/text.h"

namespace gopline::http {
namespace {

Result<std::string> decode(std::string_view text, std::string_view what) {
  auto decoded = percent_decode(text);
  if (!decoded) return fail(ErrorCode::kInvalidArgument, "the {} has a bad percent-escape", what);
  auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(decoded->begin(), decoded->end(), is_control))
    return fail(ErrorCode::kInvalidArgument, "the {} has a control character", what);
  if (!is_valid_utf8(*decoded)) return fail(ErrorCode::kInvalidArgument, "the {} is not UTF-8", what);
  return decoded;
}

// Calls `take` with every piece between separators until it fails.
template <typename Take>
Result<void> split(std::string_view text, char separator, Take take) {
  for (;;) {
    auto end = text.find(separator);
    GOPLINE_TRY(take(text.substr(0, end)));
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<std::string_view> RequestTarget::parameter(std::string_view name) const {
  auto found = std::find_if(query.begin(), query.end(), [&](const auto& pair) { return pair.first == name; });
  return found == query.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

Result<RequestTarget> parse_request_target(std::string_view target) {
  if (target.size() > kMaxTargetBytes)
    return fail(ErrorCode::kInvalidArgument, "the address is longer than {} bytes", kMaxTargetBytes);
  if (target.empty() || target.front() != '/')
    return fail(ErrorCode::kInvalidArgument, "the address does not begin with a slash");
  RequestTarget parsed;
  auto question = target.find('?');
  auto path = target.substr(1, question == std::string_view::npos ? question : question - 1);
  if (!path.empty()) {
    GOPLINE_TRY(split(path, '/', [&](std::string_view piece) -> Result<void> {
      GOPLINE_ASSIGN(auto segment, decode(piece, "path"));
      if (segment.empty() || segment == "." || segment == "..")
        return fail(ErrorCode::kInvalidArgument, "the path has a part that is empty, \".\" or \"..\"");
      parsed.path.push_back(std::move(segment));
      return {};
    }));
  }
  if (question == std::string_view::npos) return parsed;
  GOPLINE_TRY(split(target.substr(question + 1), '&', [&](std::string_view piece) -> Result<void> {
    if (piece.empty()) return {};
    auto equals = piece.find('=');
    GOPLINE_ASSIGN(auto name, decode(piece.substr(0, equals), "query"));
    auto value = equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1);
    GOPLINE_ASSIGN(auto decoded, decode(value, "query"));
    parsed.query.emplace_back(std::move(name), std::move(decoded));
    return {};
  }));
  return parsed;
}

}  // namespace gopline::http
