#pragma once
#include <stop_token>

// Stopping is asked for with std::stop_token throughout: prompt, composable, joined. This header is the one
// spelling of it.
namespace gopline {
using StopToken = std::stop_token;
using StopSource = std::stop_source;
}  // namespace gopline
