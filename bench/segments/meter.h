#pragma once
#include <cstdint>

// What the operating system says of this process.
namespace gopline::bench {

double process_cpu_seconds();  // user and system, of all threads

// The process's largest resident set since reset(). Where the kernel does not let the high-water mark be
// reset (/proc/self/clear_refs), it is the process's since its beginning, and is_exact() says so.
class PeakMemory {
 public:
  void reset();
  std::uint64_t bytes() const;  // 0 where /proc does not tell
  bool is_exact() const { return is_exact_; }

 private:
  bool is_exact_ = false;
};

}  // namespace gopline::bench
