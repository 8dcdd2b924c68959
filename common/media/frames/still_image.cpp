#include "common/media/frames/still_image.h"

#include <algorithm>
#include <array>
#include <span>

#include "common/base/text.h"
#include "common/media/av_convert.h"
#include "common/media/frames/av_frames.h"
#include "common/media/frames/still_bounds.h"
#include "common/media/frames/tile_painter.h"

namespace gopline::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool begins_with(Bytes file, std::initializer_list<std::uint8_t> magic) {
  return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin());
}

std::string_view still_codec_of(Bytes file) {
  if (begins_with(file, {0xFF, 0xD8, 0xFF})) return "mjpeg";
  if (begins_with(file, {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A})) return "png";
  if (begins_with(file, {'I', 'I', 42, 0}) || begins_with(file, {'M', 'M', 0, 42})) return "tiff";
  return "";
}

tl::unexpected<Error> broken(std::string_view codec, std::string_view what) {
  return fail(ErrorCode::kCorrupt, "a broken picture ({}): {}", codec == "mjpeg" ? "jpeg" : codec, what);
}

Result<AvCodecContextPtr> open_strictly(std::string_view name) {
  const auto* codec = avcodec_find_decoder_by_name(std::string(name).c_str());
  if (!codec) return fail(ErrorCode::kUnsupported, "this FFmpeg cannot decode {}", name);
  AvCodecContextPtr context(avcodec_alloc_context3(codec));
  if (!context) return fail(ErrorCode::kInternal, "out of memory");
  context->thread_count = 1;
  // The decoder of TIFF also takes a tag for an error that it does not know.
  context->err_recognition = name == "tiff" ? AV_EF_CRCCHECK : AV_EF_CRCCHECK | AV_EF_EXPLODE;
  context->max_pixels = kMostPixels;
  if (int code = avcodec_open2(context.get(), codec, nullptr); code < 0)
    return fail_av(code, "the decoder of " + std::string(name));
  return context;
}

// Values come padded with blanks.
std::string exif_value(const std::map<std::string, std::string>& exif, std::string_view name,
                       std::string_view number) {
  auto found = exif.find(std::string(name));
  if (found == exif.end()) found = exif.find(std::string(number));  // FFmpeg has no name for it
  if (found == exif.end()) return "";
  auto value = found->second;
  value.erase(0, value.find_first_not_of(' '));
  value.erase(value.find_last_not_of(std::string_view(" \0", 2)) + 1);
  return value;
}

// EXIF 2.32, 4.6.4, tag 274: which sides of the stored picture are its top and its left.
Orientation exif_orientation(std::string_view value) {
  auto number = parse_int64(value);
  switch (number ? *number : 1) {
    case 2:
      return {false, true, false};
    case 3:
      return {false, true, true};
    case 4:
      return {false, false, true};
    case 5:
      return {true, false, false};
    case 6:
      return {true, true, false};
    case 7:
      return {true, true, true};
    case 8:
      return {true, false, true};
    default:
      return {};
  }
}

std::optional<Timestamp> time_taken(const std::map<std::string, std::string>& exif) {
  auto time = exif_value(exif, "DateTimeOriginal", "0x9003");
  return parse_exif_time(time, exif_value(exif, "SubSecTimeOriginal", "0x9291"),
                         exif_value(exif, "OffsetTimeOriginal", "0x9011"));
}

}  // namespace

std::optional<Timestamp> parse_exif_time(std::string_view time, std::string_view fraction,
                                         std::string_view zone) {
  constexpr std::size_t kLength = 19;
  if (time.size() != kLength || time[4] != ':' || time[7] != ':') return std::nullopt;
  std::string text(time);
  text[4] = text[7] = '-';
  bool is_number = !fraction.empty() && fraction.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_number) text += "." + std::string(fraction.substr(0, 9));
  auto zoned = parse_rfc3339(text + std::string(zone));
  auto parsed = zoned ? zoned : parse_rfc3339(text + "Z");
  // A camera whose clock was never set.
  if (!parsed || *parsed <= Timestamp{}) return std::nullopt;
  return *parsed;
}

Result<StillImage> read_still_image(const Buffer& file) {
  auto codec = still_codec_of(file.bytes());
  if (codec.empty()) return fail(ErrorCode::kUnsupported, "is no JPEG, PNG or TIFF picture");
  bool is_whole = codec == "mjpeg" ? is_whole_jpeg(file.bytes())
                  : codec == "png" ? is_whole_png(file.bytes())
                                   : is_whole_tiff(file.bytes());
  if (!is_whole) return broken(codec, "it is cut short");
  GOPLINE_ASSIGN(auto context, open_strictly(codec));
  Packet packet;
  packet.data = file;
  packet.flags = packet_flags::kKey;
  GOPLINE_ASSIGN(auto av, to_av_packet(packet, true));
  AvFramePtr frame(av_frame_alloc());
  if (!frame) return fail(ErrorCode::kInternal, "out of memory");
  int code = avcodec_send_packet(context.get(), av.get());
  if (code >= 0) code = avcodec_send_packet(context.get(), nullptr);
  if (code >= 0) code = avcodec_receive_frame(context.get(), frame.get());
  if (code < 0) return broken(codec, av_error_text(code));
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0)
    return broken(codec, "parts of it cannot be decoded");
  AvCodecParametersPtr parameters(avcodec_parameters_alloc());
  if (!parameters || avcodec_parameters_from_context(parameters.get(), context.get()) < 0)
    return fail(ErrorCode::kInternal, "out of memory");
  StillImage image;
  image.codec = from_av_parameters(*parameters);
  auto exif = from_av_dictionary(frame->metadata);
  image.orientation = exif_orientation(exif_value(exif, "Orientation", "0x112"));
  image.taken = time_taken(exif);
  image.picture = Picture(std::shared_ptr<const AVFrame>(std::move(frame)));
  return image;
}

Result<Picture> upright(const Picture& picture, const Orientation& orientation) {
  if (orientation == Orientation{}) return picture;
  TileOptions tile;
  tile.width = std::max(2, (orientation.transposed ? picture.height() : picture.width()) / 2 * 2);
  tile.height = std::max(2, (orientation.transposed ? picture.width() : picture.height()) / 2 * 2);
  tile.labels = false;
  tile.hd_colours = false;  // JFIF knows BT.601 alone
  GOPLINE_ASSIGN(auto painter, TilePainter::open(tile));
  return painter->paint(picture, orientation, {0, 1}, {});
}

}  // namespace gopline::media
