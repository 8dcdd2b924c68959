#pragma once
#include <string>
#include <vector>

#include "common/record/markers.h"

namespace gopline::cli {

// A row per segment, as `gopline inspect` shows them.
std::string segments_table(const std::vector<record::IndexEntry>& entries);

}  // namespace gopline::cli
