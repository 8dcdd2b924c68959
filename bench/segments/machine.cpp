#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <fstream>
#include <thread>

#include "bench/segments/runner.h"

namespace gopline::bench {

void describe_machine(Environment& environment) {
  utsname name{};
  if (uname(&name) == 0) environment.kernel = std::string(name.sysname) + " " + name.release;
  environment.cores = static_cast<int>(std::thread::hardware_concurrency());
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);) {
    if (!line.starts_with("model name")) continue;
    environment.machine = line.substr(std::min(line.size(), line.find(": ") + 2));
    break;
  }
  if (environment.machine.empty()) environment.machine = name.machine;
  struct sysinfo info {};
  if (sysinfo(&info) == 0) {
    environment.memory_bytes = std::uint64_t{info.totalram} * info.mem_unit;
  }
}

}  // namespace gopline::bench
