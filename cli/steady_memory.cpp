#include "cli/steady_memory.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace gopline::cli {

void keep_memory_steady() {
#ifdef __GLIBC__
  constexpr int kArenas = 4;
  constexpr int kMappedFrom = 128 << 10;  // bytes; said, it is no longer learnt
  mallopt(M_ARENA_MAX, kArenas);
  mallopt(M_MMAP_THRESHOLD, kMappedFrom);
#endif
}

}  // namespace gopline::cli
