#ifndef GOPLINE_COMMON_BYTES_XXH3_KERNEL_H
#define GOPLINE_COMMON_BYTES_XXH3_KERNEL_H
/* XXH3-64 (seed 0) of pieces in a row, built once as the compiler is told to build for any machine and once
 * for AVX2: Debian's libxxhash knows the former alone. In C, so that no inline function of a C++ header can
 * come out in the code of a machine that is not there. */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gopline_piece {
  const uint8_t* bytes;
  size_t size;
};

/* With `copy_to`, the pieces are put there end to end on the way: what has just been copied is hashed from
 * the cache. */
uint64_t gopline_xxh3_any(const struct gopline_piece* pieces, size_t count, uint8_t* copy_to);
uint64_t gopline_xxh3_avx2(const struct gopline_piece* pieces, size_t count, uint8_t* copy_to);

#ifdef __cplusplus
}
#endif
#endif
