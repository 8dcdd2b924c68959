#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/media/types.h"

namespace gopline::media {

// Notices when the codec parameters of a track change in mid-stream (docs/record-format.md, "Parameter
// change"): new extradata beside a packet, or VPS or SPS at an access point that the parameters so far do not
// contain. Not thread-safe.
class ParameterWatch {
 public:
  explicit ParameterWatch(const Track& track);

  // The track with its new parameters when `packet` brings any; nullopt otherwise. Changes are taken as seen.
  std::optional<Track> observe(const Packet& packet);

 private:
  Track track_;
  std::vector<std::string> sequence_sets_;  // VPS and SPS in force
};

}  // namespace gopline::media
