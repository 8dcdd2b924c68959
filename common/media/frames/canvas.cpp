#include "common/media/frames/canvas.h"

#include <algorithm>

#include "common/media/frames/av_frames.h"

namespace gopline::media {

Result<Canvas> Canvas::make(int width, int height) {
  GOPLINE_ASSIGN(auto frame, make_frame(width, height));
  for (int plane = 0; plane < 3; ++plane) {
    auto rows = static_cast<std::size_t>(plane == 0 ? height : height / 2);
    std::fill_n(frame->data[plane], static_cast<std::size_t>(frame->linesize[plane]) * rows,
                static_cast<std::uint8_t>(plane == 0 ? 16 : 128));
  }
  return Canvas(std::shared_ptr<AVFrame>(std::move(frame)));
}

Result<void> Canvas::place(const Picture& tile, int x, int y) {
  if (frame_.use_count() > 1) {  // somebody looks at it
    GOPLINE_ASSIGN(auto own, make_frame(frame_->width, frame_->height));
    if (int code = av_frame_copy(own.get(), frame_.get()); code < 0) return fail_av(code, "the canvas");
    frame_ = std::shared_ptr<AVFrame>(std::move(own));
  }
  const auto& from = tile.frame();
  for (int plane = 0; plane < 3; ++plane) {
    int half = plane == 0 ? 1 : 2;
    auto* target =
        frame_->data[plane] + static_cast<std::ptrdiff_t>(y / half) * frame_->linesize[plane] + x / half;
    av_image_copy_plane(target, frame_->linesize[plane], from.data[plane], from.linesize[plane],
                        from.width / half, from.height / half);
  }
  return {};
}

}  // namespace gopline::media
