#include "common/payload/compressibility.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"

namespace gopline::payload {
namespace {

constexpr std::array<std::pair<Compression, std::string_view>, 3> kCompressionNames{
    {{Compression::kAuto, "auto"}, {Compression::kNone, "none"}, {Compression::kZstd, "zstd"}}};

// Compressing costs more than it spares below this.
constexpr double kWorthIt = 0.9;

bool is_compressed_by_nature(std::string_view type) {
  if (type.starts_with("video/") || type.starts_with("audio/")) return true;
  if (type.starts_with("image/"))
    return type != "image/bmp" && type != "image/svg+xml" && type != "image/tiff";
  constexpr std::array<std::string_view, 5> kArchives{
      "application/gzip", "application/zip", "application/zstd", "application/x-bzip2", "application/x-xz"};
  return std::find(kArchives.begin(), kArchives.end(), type) != kArchives.end();
}

// Bytes that zstd's fastest level leaves of them.
std::size_t shrunk(const Buffer& sample) {
  std::vector<char> out(ZSTD_compressBound(sample.size()));
  auto size = ZSTD_compress(out.data(), out.size(), sample.data(), sample.size(), 1);
  return ZSTD_isError(size) ? sample.size() : size;
}

}  // namespace

std::string_view to_string(Compression compression) {
  for (const auto& [value, name] : kCompressionNames) {
    if (value == compression) return name;
  }
  return "?";
}

Result<Compression> compression_from(std::string_view text) {
  for (const auto& [value, name] : kCompressionNames) {
    if (name == text) return value;
  }
  return fail(ErrorCode::kInvalidArgument, "'{}' is none of auto, none and zstd", text);
}

std::vector<std::uint64_t> sample_offsets(std::uint64_t size) {
  if (size <= 3 * kSampleBytes) return {0};
  return {0, (size - kSampleBytes) / 2, size - kSampleBytes};
}

CompressionChoice choose_compression(Compression asked, std::string_view content_type,
                                     const std::vector<Buffer>& samples) {
  if (asked == Compression::kNone) return {false, "as asked for"};
  if (asked == Compression::kZstd) return {true, "as asked for"};
  if (is_compressed_by_nature(content_type)) {
    return {false, fmt::format("{} is compressed by nature", content_type)};
  }
  std::size_t before = 0, after = 0;
  for (const auto& sample : samples) {
    before += sample.size();
    after += shrunk(sample);
  }
  if (before == 0) return {false, "there is nothing to compress"};
  auto ratio = static_cast<double>(after) / static_cast<double>(before);
  return {ratio < kWorthIt, fmt::format("a sample of {} shrinks to {:.0f} %", format_bytes(before),
                                        std::min(1.0, ratio) * 100)};
}

}  // namespace gopline::payload
