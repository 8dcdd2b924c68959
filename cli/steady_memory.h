#pragma once

namespace gopline::cli {

// For runs of days: keeps what is resident near what is in use. glibc gives each of many threads an arena,
// and learns from buffers that were freed to take ever larger ones from them; what one thread frees between
// two small blocks of another stays, and fifty cameras grew from 250 MB to 480 MB in a quarter of an hour.
// With few arenas, and large buffers mapped by themselves, they stay where they begin. Costs a page fault per
// 4 KiB of a large buffer, so it is not for files at full speed. Before other threads are started. Does
// nothing where the C library is another.
void keep_memory_steady();

}  // namespace gopline::cli
