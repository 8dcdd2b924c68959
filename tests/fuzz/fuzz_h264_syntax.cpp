// Nothing that a NAL unit or an access unit holds brings the little H.264 that is read out of step.
#include <cstdlib>

#include "common/media/h264_syntax.h"

using namespace gopline::media;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span bytes(data, size);
  if (rbsp_of(bytes).size() > size) std::abort();
  (void)max_num_ref_frames(bytes);
  (void)has_recovery_point(bytes);
  for (int length_size : {1, 2, 4}) (void)is_h264_random_access(bytes, length_size);
  return 0;
}
