#pragma once
#include <string>

#include "bench/segments/results.h"

namespace gopline::cli {

// What `gopline bench segments` prints: a row for each case, medians over the repetitions.
std::string to_table(const bench::Results& results);

}  // namespace gopline::cli
