#include "bench/segments/meter.h"

#include <malloc.h>
#include <sys/resource.h>

#include <fstream>
#include <string>

namespace gopline::bench {

double process_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void PeakMemory::reset() {
  malloc_trim(0);  // what the case before has freed is not this one's
  std::ofstream file("/proc/self/clear_refs");
  is_exact_ = static_cast<bool>(file << "5" << std::flush);
}

std::uint64_t PeakMemory::bytes() const {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

}  // namespace gopline::bench
