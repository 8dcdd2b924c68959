#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer.h"

// Whether a payload is worth compressing on its way.
namespace gopline::payload {

enum class Compression { kAuto, kNone, kZstd };

std::string_view to_string(Compression compression);  // as --compression spells it
Result<Compression> compression_from(std::string_view text);

struct CompressionChoice {
  bool compress = false;
  std::string reason;  // for people: "a sample of 192.0 kB shrinks to 23 %"
};

inline constexpr std::size_t kSampleBytes = 64 << 10;

// Where samples of a payload of `size` bytes are taken: at its beginning, middle and end, kSampleBytes each.
std::vector<std::uint64_t> sample_offsets(std::uint64_t size);

// What was asked for; else by content: media types that are compressed by nature are not, others where zstd's
// fastest level takes the samples below nine tenths of their size.
CompressionChoice choose_compression(Compression asked, std::string_view content_type,
                                     const std::vector<Buffer>& samples);

}  // namespace gopline::payload
