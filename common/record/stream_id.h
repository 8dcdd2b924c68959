#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace gopline::record {

inline constexpr std::size_t kMaxStreamIdBytes = 512;

// A stream's id is 1 to 512 bytes of UTF-8 without control characters (C0, DEL, C1). kInvalidArgument says
// what is wrong.
Result<void> check_stream_id(std::string_view id);

// `ce_source`: /gopline/ and the id, percent-encoded: "/gopline/site-7%2Fdoor-2".
std::string source_of_stream(std::string_view id);
// The inverse. kCorrupt when the text is not such a source.
Result<std::string> stream_of_source(std::string_view source);

}  // namespace gopline::record
