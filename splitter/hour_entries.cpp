#include "splitter/hour_entries.h"

#include <algorithm>
#include <utility>

#include <zstd.h>

namespace gopline::splitter {
namespace {

constexpr std::size_t kBlockBytes = 16 << 10;

Result<std::string> decompressed(const std::string& block) {
  auto size = ZSTD_getFrameContentSize(block.data(), block.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
    return fail(ErrorCode::kInternal, "a block of index entries is damaged");
  std::string out(size, '\0');
  auto written = ZSTD_decompress(out.data(), out.size(), block.data(), block.size());
  if (ZSTD_isError(written) || written != size)
    return fail(ErrorCode::kInternal, "a block of index entries is damaged: {}", ZSTD_getErrorName(written));
  return out;
}

Result<void> parse_lines(std::string_view lines, std::vector<record::IndexEntry>& out) {
  while (!lines.empty()) {
    auto end = lines.find('\n');
    GOPLINE_ASSIGN(auto entry, record::parse_index_entry_value(lines.substr(0, end)));
    out.push_back(std::move(entry));
    lines.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace

void HourEntries::add(const record::IndexEntry& entry, std::string_view value) {
  sums_.from = empty() ? entry.time : std::min(sums_.from, entry.time);
  sums_.to = empty() ? entry.end_time() : std::max(sums_.to, entry.end_time());
  sums_.bytes += entry.size;
  sums_.gaps += entry.gap ? 1 : 0;
  ++sums_.segments;
  open_.append(value).push_back('\n');
  if (open_.size() >= kBlockBytes) close_block();
}

void HourEntries::close_block() {
  std::string block(ZSTD_compressBound(open_.size()), '\0');
  auto size = ZSTD_compress(block.data(), block.size(), open_.data(), open_.size(), 1);
  block.resize(ZSTD_isError(size) ? 0 : size);
  block.shrink_to_fit();
  blocks_.push_back(std::move(block));
  open_ = {};
}

std::size_t HourEntries::resident_bytes() const {
  std::size_t bytes = open_.capacity() + blocks_.capacity() * sizeof(std::string);
  for (const auto& block : blocks_) bytes += block.capacity();
  return bytes;
}

Result<record::IndexHour> HourEntries::take() {
  auto hour = std::exchange(sums_, {});
  auto blocks = std::exchange(blocks_, {});
  auto open = std::exchange(open_, {});
  hour.entries.reserve(static_cast<std::size_t>(hour.segments));
  for (const auto& block : blocks) {
    GOPLINE_ASSIGN(auto lines, decompressed(block));
    GOPLINE_TRY(parse_lines(lines, hour.entries));
  }
  GOPLINE_TRY(parse_lines(open, hour.entries));
  return hour;
}

}  // namespace gopline::splitter
