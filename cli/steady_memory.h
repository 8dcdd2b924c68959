#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>

namespace gopline::cli {

// For runs of days: keeps what is resident near what is in use, by giving free pages back every half minute
// for as long as it lives. glibc keeps what was freed between blocks that are still in use, in an arena for
// each of many threads: fifty cameras of which a few come back at once now and then, in use 50 MB, had grown
// from 250 MB to 480 MB in a quarter of an hour. Made before other threads are started. Does nothing where
// the C library is another.
class SteadyMemory {
 public:
  SteadyMemory();

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace gopline::cli
