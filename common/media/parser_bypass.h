#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "common/media/av.h"

namespace gopline::media {

// Reads a large MP4 file of H.264 without libavformat's H.264 parser, which takes a fifth of the time that
// reading takes. The file's index has all that the parser finds out (docs/decisions/parser-bypass.md) except
// which packets are key frames, which are told from their NAL units here, and, where the index leaves it
// open, how long the last one lasts: for the end of the file the parser comes back.
class ParserBypass {
 public:
  // Between avformat_open_input and avformat_find_stream_info: takes the parser out if nothing will be
  // missed and the file is worth it.
  static std::optional<ParserBypass> begin(AVFormatContext& input, std::int64_t min_bytes);

  // The same for a file that is opened again, whose streams are known (known_streams.h): of any size, and
  // without probing.
  static std::optional<ParserBypass> begin_again(AVFormatContext& input);

  // After avformat_find_stream_info: sets what the parser would have found out about the stream.
  void describe(AVFormatContext& input) const;

  // What av_read_frame gave, in its order, and its bytes, wherever they are: sets the flags and the duration
  // as the parser and the index have them.
  void complete(AVFormatContext& input, AVPacket& packet, std::span<const std::uint8_t> bytes);

  // False: the parser reads along from the next packet on.
  bool is_on(const AVFormatContext& input) const { return (input.flags & AVFMT_FLAG_NOPARSE) != 0; }

 private:
  static ParserBypass without_parser(AVFormatContext& input, int stream, AVFieldOrder field_order);
  ParserBypass(int stream, int length_size, AVFieldOrder field_order)
      : stream_(stream), length_size_(length_size), field_order_(field_order) {}
  int stream_;
  int length_size_;
  AVFieldOrder field_order_;
  int read_ = 0;  // packets of the stream
};

}  // namespace gopline::media
