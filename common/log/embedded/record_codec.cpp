#include "common/log/embedded/record_codec.h"

#include <charconv>

#include "common/bytes/big_endian.h"
#include "common/bytes/digest.h"

namespace gopline::embedded {
namespace {

void append_text(std::string& out, std::string_view text) {
  auto size = static_cast<std::uint32_t>(text.size());
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
  out += text;
}

}  // namespace

std::string encode_headers(const Headers& headers) {
  std::string out;
  for (const auto& header : headers) {
    append_text(out, header.name);
    append_text(out, header.value);
  }
  return out;
}

Result<Headers> decode_headers(std::string_view bytes) {
  ByteReader reader({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  auto text = [&] {
    auto raw = reader.raw(reader.u32());
    return std::string(raw.begin(), raw.end());
  };
  Headers headers;
  while (reader.left() > 0) {
    auto name = text();
    auto value = text();
    if (!reader.ok()) return fail(ErrorCode::kCorrupt, "the stored headers end in the middle of one");
    headers.push_back({std::move(name), std::move(value)});
  }
  return headers;
}

std::int64_t checksum_from_hex(const std::string& xxh3) {
  std::uint64_t number = 0;
  std::from_chars(xxh3.data(), xxh3.data() + xxh3.size(), number, 16);
  return static_cast<std::int64_t>(number);
}
std::int64_t checksum_of(const BufferChain& value) {
  return checksum_from_hex(xxh3_hex(value));
}
std::int64_t checksum_of(std::span<const std::uint8_t> value) {
  return checksum_from_hex(xxh3_hex(value));
}

}  // namespace gopline::embedded
