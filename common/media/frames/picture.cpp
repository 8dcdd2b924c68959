#include "common/media/frames/picture.h"

#include "common/media/frames/av_frames.h"

namespace gopline::media {

Picture::Picture(std::shared_ptr<const AVFrame> frame) : frame_(std::move(frame)) {
  for (const auto* buffer : frame_->buf) {
    if (buffer) bytes_ += buffer->size;
  }
}

int Picture::width() const {
  return frame_ ? frame_->width : 0;
}

int Picture::height() const {
  return frame_ ? frame_->height : 0;
}

std::string_view Picture::format() const {
  const char* name = frame_ ? av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame_->format)) : nullptr;
  return name ? name : "";
}

Picture::Plane Picture::plane(int index) const {
  return {frame_->data[index], frame_->linesize[index]};
}

std::uint8_t Picture::luma(int x, int y) const {
  return frame_->data[0][static_cast<std::ptrdiff_t>(y) * frame_->linesize[0] + x];
}

}  // namespace gopline::media
