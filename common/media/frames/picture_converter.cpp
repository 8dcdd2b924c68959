#include "common/media/frames/picture_converter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/rational.h"
#include "common/media/frames/av_frames.h"

namespace gopline::media {
namespace {

constexpr std::array<std::pair<PixelFormat, std::string_view>, 5> kNames{{
    {PixelFormat::kAsDecoded, "native"},
    {PixelFormat::kGray8, "gray8"},
    {PixelFormat::kBgr24, "bgr24"},
    {PixelFormat::kRgb24, "rgb24"},
    {PixelFormat::kYuv420p, "yuv420p"},
}};

AVPixelFormat to_av(PixelFormat format, AVPixelFormat decoded) {
  switch (format) {
    case PixelFormat::kGray8:
      return AV_PIX_FMT_GRAY8;
    case PixelFormat::kBgr24:
      return AV_PIX_FMT_BGR24;
    case PixelFormat::kRgb24:
      return AV_PIX_FMT_RGB24;
    case PixelFormat::kYuv420p:
      return AV_PIX_FMT_YUV420P;
    case PixelFormat::kAsDecoded:
      break;
  }
  return decoded;
}

bool has_a_plane_of_brightness(AVPixelFormat format) {
  const auto* description = av_pix_fmt_desc_get(format);
  if (!description || (description->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_HWACCEL)) != 0)
    return false;
  const auto& luma = description->comp[0];
  return (description->flags & AV_PIX_FMT_FLAG_PLANAR) != 0 && luma.plane == 0 && luma.step == 1 &&
         luma.depth == 8;
}

// The first plane as a picture of its own, in the same memory.
Result<Picture> brightness_of(const Picture& picture) {
  AvFramePtr frame(av_frame_clone(&picture.frame()));
  if (!frame) return fail(ErrorCode::kInternal, "out of memory");
  frame->format = AV_PIX_FMT_GRAY8;
  std::fill(std::begin(frame->data) + 1, std::end(frame->data), nullptr);
  std::fill(std::begin(frame->linesize) + 1, std::end(frame->linesize), 0);
  return Picture(std::shared_ptr<const AVFrame>(std::move(frame)));
}

// The side that was not asked for, so that the shape stays; at least 1.
int other_side(int side, int this_of, int other_of) {
  return static_cast<int>(std::max<std::int64_t>(1, rescale(other_of, {side, 1}, {this_of, 1})));
}

}  // namespace

std::string_view to_string(PixelFormat format) {
  for (auto [candidate, name] : kNames) {
    if (candidate == format) return name;
  }
  return {};
}

std::optional<PixelFormat> pixel_format_from(std::string_view text) {
  for (auto [format, name] : kNames) {
    if (name == text) return format;
  }
  return std::nullopt;
}

struct PictureConverter::State {
  PictureWish wish;
  SwsPtr scaler;
};

PictureConverter::PictureConverter(PictureWish wish) : state_(std::make_unique<State>()) {
  state_->wish = wish;
}
PictureConverter::~PictureConverter() = default;
PictureConverter::PictureConverter(PictureConverter&&) noexcept = default;
PictureConverter& PictureConverter::operator=(PictureConverter&&) noexcept = default;

Result<Picture> PictureConverter::convert(const Picture& picture) {
  const auto& wish = state_->wish;
  const auto& from = picture.frame();
  int width = wish.width, height = wish.height;
  if (width == 0 && height == 0) {
    width = from.width;
    height = from.height;
  } else if (width == 0) {
    width = other_side(height, from.height, from.width);
  } else if (height == 0) {
    height = other_side(width, from.width, from.height);
  }
  auto decoded = static_cast<AVPixelFormat>(from.format);
  auto format = to_av(wish.format, decoded);
  if (width == from.width && height == from.height) {
    if (format == decoded) return picture;
    if (format == AV_PIX_FMT_GRAY8 && has_a_plane_of_brightness(decoded)) return brightness_of(picture);
  }
  // Brightness alone is scaled, where that is all that is wanted.
  auto read_as =
      format == AV_PIX_FMT_GRAY8 && has_a_plane_of_brightness(decoded) ? AV_PIX_FMT_GRAY8 : decoded;
  state_->scaler.reset(sws_getCachedContext(state_->scaler.release(), from.width, from.height, read_as, width,
                                            height, format, SWS_AREA, nullptr, nullptr, nullptr));
  if (!state_->scaler) {
    return fail(ErrorCode::kUnsupported, "pictures of {} cannot be made {} of {}x{}", picture.format(),
                to_string(wish.format), width, height);
  }
  AvFramePtr frame(av_frame_alloc());
  if (!frame) return fail(ErrorCode::kInternal, "out of memory");
  frame->format = format;
  frame->width = width;
  frame->height = height;
  if (int code = av_frame_get_buffer(frame.get(), 0); code < 0) return fail_av(code, "a picture's memory");
  sws_scale(state_->scaler.get(), from.data, from.linesize, 0, from.height, frame->data, frame->linesize);
  return Picture(std::shared_ptr<const AVFrame>(std::move(frame)));
}

}  // namespace gopline::media
