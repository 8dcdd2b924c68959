#pragma once
#include <string>
#include <string_view>

#include "common/log/log.h"

namespace gopline::embedded {

// Headers as the catalogue stores them: for each, name and value, both as a 32-bit length (most significant
// byte first) and the bytes.
std::string encode_headers(const Headers& headers);
Result<Headers> decode_headers(std::string_view bytes);

// The log's checksum of a value: XXH3-64.
std::int64_t checksum_of(const BufferChain& value);
std::int64_t checksum_from_hex(const std::string& xxh3);
std::int64_t checksum_of(std::span<const std::uint8_t> value);

}  // namespace gopline::embedded
