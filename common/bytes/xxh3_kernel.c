/* Compiled twice: see xxh3_kernel.h and CMakeLists.txt. */
#define XXH_INLINE_ALL
#include "common/bytes/xxh3_kernel.h"

#include <string.h>
#include <xxhash.h>

/* Stays in the first cache between the copy and the hash. Four times as much does too, and takes a third longer
 * where what is copied is not in a cache yet. */
enum { kBlock = 4 << 10 };

uint64_t GOPLINE_XXH3_NAME(const struct gopline_piece *pieces, size_t count, uint8_t *copy_to) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  if (count == 1 && !copy_to) return XXH3_64bits(pieces[0].bytes, pieces[0].size);
  XXH3_64bits_reset(&state);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t *from = pieces[i].bytes;
    size_t left = pieces[i].size;
    if (!copy_to) {
      XXH3_64bits_update(&state, from, left);
      continue;
    }
    while (left > 0) {
      size_t size = left < kBlock ? left : kBlock;
      memcpy(copy_to, from, size);
      XXH3_64bits_update(&state, copy_to, size);
      copy_to += size;
      from += size;
      left -= size;
    }
  }
  return XXH3_64bits_digest(&state);
}
