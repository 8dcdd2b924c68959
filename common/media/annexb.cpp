#include "common/media/annexb.h"

#include <cstring>

#include "common/bytes/big_endian.h"

namespace gopline::media {
namespace {

// The next 00 00 01 at or after `from`, or the end. memchr does the walking: the 01 is rarer than zeros.
std::size_t find_start_code(std::span<const std::uint8_t> bytes, std::size_t from) {
  for (std::size_t at = from + 2; at < bytes.size();) {
    const void* hit = std::memchr(bytes.data() + at, 1, bytes.size() - at);
    if (!hit) break;
    auto one = static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - bytes.data());
    if (bytes[one - 1] == 0 && bytes[one - 2] == 0) return one - 2;
    at = one + 1;
  }
  return bytes.size();
}

}  // namespace

std::vector<Nal> nals_of_annexb(std::span<const std::uint8_t> bytes) {
  std::vector<Nal> nals;
  auto code = find_start_code(bytes, 0);
  while (code < bytes.size()) {
    auto begin = code + 3;
    code = find_start_code(bytes, begin);
    auto end = code;
    if (code < bytes.size() && end > begin && bytes[end - 1] == 0)
      --end;  // the four-byte start code's first zero
    if (end > begin) nals.push_back(bytes.subspan(begin, end - begin));
  }
  return nals;
}

Result<std::vector<Nal>> nals_of_length_prefixed(std::span<const std::uint8_t> bytes, int length_size) {
  std::vector<Nal> nals;
  std::size_t at = 0;
  auto width = static_cast<std::size_t>(length_size);
  while (at < bytes.size()) {
    std::size_t length = 0;
    if (bytes.size() - at < width)
      return fail(ErrorCode::kCorrupt, "NAL unit length cut short at byte {}", at);
    for (std::size_t i = 0; i < width; ++i) length = length << 8 | bytes[at++];
    if (length > bytes.size() - at)
      return fail(ErrorCode::kCorrupt, "NAL unit at byte {} runs past the end", at);
    if (length > 0) nals.push_back(bytes.subspan(at, length));
    at += length;
  }
  return nals;
}

Buffer to_length_prefixed(const Buffer& annexb) {
  auto nals = nals_of_annexb(annexb.bytes());
  ByteWriter out;
  out.reserve(annexb.size() + 8);
  for (auto nal : nals) {
    out.u32(static_cast<std::uint32_t>(nal.size()));
    out.raw(nal);
  }
  return Buffer::take(out.take());
}

Result<Buffer> to_annexb(const Buffer& length_prefixed) {
  GOPLINE_ASSIGN(auto nals, nals_of_length_prefixed(length_prefixed.bytes()));
  ByteWriter out;
  out.reserve(length_prefixed.size());
  for (auto nal : nals) {
    out.u32(1);
    out.raw(nal);
  }
  return Buffer::take(out.take());
}

bool is_annexb_extradata(std::span<const std::uint8_t> extradata) {
  return extradata.empty() || extradata[0] != 1;
}

}  // namespace gopline::media
