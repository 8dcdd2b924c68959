#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

struct AVFrame;

namespace gopline::media {

// A decoded picture. Copying it copies no samples; nobody changes them any more, so it may go from thread to
// thread.
class Picture {
 public:
  Picture() = default;
  explicit Picture(std::shared_ptr<const AVFrame> frame);

  bool empty() const { return frame_ == nullptr; }
  int width() const;
  int height() const;
  std::size_t bytes() const { return bytes_; }  // of memory that it keeps alive
  std::uint8_t luma(int x, int y) const;        // of an 8-bit planar YUV picture, inside of it
  std::string_view format() const;              // FFmpeg's name of its pixel format: "yuv420p"
  // Samples of one plane, row by row: for packed formats (gray, bgr24) there is one. Valid as long as the
  // picture is.
  struct Plane {
    const std::uint8_t* data = nullptr;
    std::ptrdiff_t stride = 0;  // bytes from row to row
  };
  Plane plane(int index) const;
  const AVFrame& frame() const { return *frame_; }  // for this room
  bool is_same(const Picture& other) const { return frame_ == other.frame_; }

 private:
  std::shared_ptr<const AVFrame> frame_;
  std::size_t bytes_ = 0;
};

}  // namespace gopline::media
