#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace gopline::cli {

// The program's path by $PATH, or nullopt.
std::optional<std::string> find_program(const std::string& name);

// Runs a program to its end, standard output into the file `output`, standard input and error from and to
// /dev/null. The error names the program and how it ended.
Result<void> run_program(const std::vector<std::string>& arguments, const std::string& output = "/dev/null");

}  // namespace gopline::cli
