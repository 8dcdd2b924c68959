#pragma once
#include <string>
#include <vector>

#include "common/media/types.h"

namespace gopline::aggregator {

// What keeps two epochs' tracks out of one file, in words; empty: nothing.
std::string track_difference(const std::vector<media::Track>& a, const std::vector<media::Track>& b);

}  // namespace gopline::aggregator
