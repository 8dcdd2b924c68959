#include <cstddef>
#include <cstdint>
#include <span>

#include "common/media/frames/still_bounds.h"

// Files of pictures, as anybody may send them: where they end is asked of each form, whatever they begin
// with.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> file(data, size);
  if (size < 8) return 0;
  gopline::media::is_whole_jpeg(file);
  gopline::media::is_whole_png(file);
  gopline::media::is_whole_tiff(file);
  return 0;
}
