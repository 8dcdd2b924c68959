#include <cstdlib>
#include <string_view>

#include "common/base/text.h"
#include "common/http/request_target.h"

// Request targets: what is taken cannot climb, has no control characters, and reads the same when it is
// written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto target = gopline::http::parse_request_target(text);
  if (!target) return 0;
  std::string again;
  for (const auto& segment : target->path) {
    if (segment.empty() || segment == "." || segment == ".." || segment.find('\0') != std::string::npos)
      std::abort();
    again += "/" + gopline::percent_encode(segment);
  }
  if (again.empty()) again = "/";
  char separator = '?';
  for (const auto& [name, value] : target->query) {
    again += separator + gopline::percent_encode(name) + "=" + gopline::percent_encode(value);
    separator = '&';
  }
  if (again.size() > gopline::http::kMaxTargetBytes) return 0;  // encoding may lengthen it
  auto same = gopline::http::parse_request_target(again);
  if (!same || same->path != target->path || same->query != target->query) std::abort();
  return 0;
}
