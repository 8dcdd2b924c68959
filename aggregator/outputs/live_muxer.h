#pragma once
#include <memory>
#include <vector>

#include "aggregator/outputs/live_output.h"
#include "common/media/muxer.h"

namespace gopline::aggregator {

// A muxer whose packets, with the times that a remux would give them, go to `output` instead of into a
// container. Who uses it tells the output of its runs. Not thread-safe.
std::unique_ptr<media::Muxer> make_live_muxer(LiveOutput& output, const media::SourceInfo& source,
                                              const std::vector<media::Track>& tracks);

}  // namespace gopline::aggregator
