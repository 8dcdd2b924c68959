#pragma once
#include <functional>
#include <string>
#include <vector>

namespace gopline::metrics {

// Something that is not as it should be.
struct HealthProblem {
  std::string subject;  // a stream, or a part of the program: "log"
  std::string problem;  // for a person: "no packet for 12 s"
};

// Lists what is wrong now; empty: all is well. Called on the server's thread, which answers nobody meanwhile:
// it must look and return, not wait.
using HealthCheck = std::function<std::vector<HealthProblem>()>;

}  // namespace gopline::metrics
