#include "common/media/completeness.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "common/media/declared_size.h"

namespace gopline::media {
namespace {

// How far the packets of an MP4's index, or of its last fragment, reach beyond the end of the file.
std::int64_t bytes_behind_the_end(const AVFormatContext& input) {
  auto size = avio_size(input.pb);
  std::int64_t end = 0;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    auto* stream = input.streams[i];
    for (int entry = avformat_index_get_entries_count(stream) - 1; entry >= 0; --entry) {
      const auto* indexed = avformat_index_get_entry(stream, entry);
      end = std::max(end, indexed->pos + indexed->size);
    }
  }
  return size > 0 ? end - size : 0;
}

// AVI and Matroska say at their beginning how long they are.
Result<void> has_declared_size(const WhatWasRead& read) {
  constexpr std::uint64_t kPadding = 16;  // some writers count padding that they leave out
  if (read.local_path.empty() || !read.info.size_bytes) return {};
  std::array<char, 256> head{};
  std::ifstream file(read.local_path, std::ios::binary);
  file.read(head.data(), head.size());
  auto declared = declared_size(
      {reinterpret_cast<const std::uint8_t*>(head.data()), static_cast<std::size_t>(file.gcount())});
  if (!declared || *declared <= *read.info.size_bytes + kPadding) return {};
  return fail(ErrorCode::kCorrupt,
              "{}: is cut off: it has {} of the {} bytes that it declares; what is there is kept",
              read.info.name, *read.info.size_bytes, *declared);
}

}  // namespace

Result<void> ended_whole(AVFormatContext& input, const WhatWasRead& read) {
  GOPLINE_TRY(has_declared_size(read));
  // Other containers' counts are only declared, and often wrong.
  bool has_index = std::string_view(input.iformat->name).starts_with("mov,");
  if (!has_index || !input.pb || !avio_feof(input.pb)) return {};
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    auto expected = input.streams[i]->nb_frames;
    auto got = i < read.packets.size() ? read.packets[i] : 0;
    if (i < read.track_of_stream.size() && read.track_of_stream[i] >= 0 && got < expected) {
      return fail(ErrorCode::kCorrupt,
                  "{}: is cut off: it has {} of the {} packets that its index lists for track {}; what is "
                  "there is kept",
                  read.info.name, got, expected, i);
    }
  }
  if (auto missing = bytes_behind_the_end(input); missing > 0) {
    return fail(ErrorCode::kCorrupt, "{}: is cut off: its last packets lack {} bytes; what is there is kept",
                read.info.name, missing);
  }
  return {};
}

}  // namespace gopline::media
