#pragma once
#include <string>
#include <string_view>

namespace gopline::cli {

// The media type (RFC 6838) that a file's extension stands for; application/octet-stream for one that nobody
// knows.
std::string content_type_of(std::string_view file);

}  // namespace gopline::cli
