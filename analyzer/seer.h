#pragma once
#include <memory>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/presence.h"
#include "analyzer/sighting.h"
#include "common/base/result.h"
#include "common/media/frames/picture.h"

namespace gopline::analyzer {

// Sees objects in pictures, in each for itself. Not thread-safe; exceptions do not leave it.
class Seer {
 public:
  virtual ~Seer() = default;
  virtual Result<std::vector<Sighting>> look(const media::Picture& picture) = 0;
};

// An analyzer of what a seer sees: followed from picture to picture (Presence), or in single pictures, where
// all is told with the first zone in which it stands. The options outlive it.
std::unique_ptr<Analyzer> make_following_analyzer(const PresenceOptions& options, std::unique_ptr<Seer> seer);
std::unique_ptr<Analyzer> make_still_analyzer(const PresenceOptions& options, std::unique_ptr<Seer> seer);

}  // namespace gopline::analyzer
