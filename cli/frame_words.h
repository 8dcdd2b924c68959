#pragma once
#include <optional>
#include <string>

#include "analyzer/analyzer.h"

namespace gopline::cli {

// Which pictures: "all", "key", or so many a second: "2", "0.5", "30000/1001".
std::optional<analyzer::FrameChoice> frames_of(const std::string& words);

}  // namespace gopline::cli
