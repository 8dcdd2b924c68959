// read_exact_box on arbitrary bytes; what it accepts is written again byte for byte.
#include <algorithm>
#include <cstdlib>

#include "common/media/exact_box.h"

using namespace gopline;
using namespace gopline::media;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span payload(data, size);
  auto box = read_exact_box(payload);
  if (!box) return 0;
  ExactBoxWriter writer(box->origin);
  for (const auto& entry : box->entries) writer.add(entry.kind, entry.sample, entry.bytes);
  ByteWriter out;
  writer.write(out);
  constexpr std::size_t kHeader = 24;  // size, "uuid", extended type
  if (!std::ranges::equal(out.bytes().subspan(kHeader), payload)) std::abort();
  return 0;
}
