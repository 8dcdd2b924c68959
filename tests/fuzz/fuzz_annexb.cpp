// Annex B to length-prefixed and back: the NAL units stay the same.
#include <algorithm>
#include <cstdlib>

#include "common/media/annexb.h"

using namespace gopline;
using namespace gopline::media;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span bytes(data, size);
  auto nals = nals_of_annexb(bytes);
  auto prefixed = to_length_prefixed(Buffer::copy(bytes));
  auto again = nals_of_length_prefixed(prefixed.bytes());
  if (!again || !std::ranges::equal(nals, *again, [](Nal a, Nal b) { return std::ranges::equal(a, b); }))
    std::abort();
  if (!to_annexb(prefixed)) std::abort();
  for (int length_size : {1, 2, 4}) (void)nals_of_length_prefixed(bytes, length_size);
  return 0;
}
