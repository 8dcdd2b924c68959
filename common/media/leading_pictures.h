#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/types.h"

namespace gopline::media {

// The leading pictures of an open GOP at which an output begins or goes on: they follow its access point, are
// shown before it (RASL and RADL in HEVC, the B pictures before an I picture in H.264), and may refer to what
// is not there. They end with the next access point. One made from nothing knows of none.
class LeadingPictures {
 public:
  LeadingPictures() = default;
  // `main`: index of the track. An access point without a pts has none that could be told.
  LeadingPictures(int main, std::optional<std::int64_t> access_pts) : main_(main), access_pts_(access_pts) {}

  // The access point of the GOP, the first packet of the main track in decode order.
  static LeadingPictures of(const std::vector<Packet>& packets, int main);

  // To be called with every packet from the access point on, in order.
  bool contain(const Packet& packet);
  bool may_follow() const { return access_pts_.has_value(); }

 private:
  int main_ = 0;
  std::optional<std::int64_t> access_pts_;
};

struct WithoutLeading {
  Buffer bytes;
  std::uint64_t dropped = 0;  // packets
};

// A segment of fragmented MP4, or a part with its init, without them. Fragments that have none stay as they
// are; of the others the samples before those that go get their time (trun, ISO/IEC 14496-12, 8.8.8), so that
// all others keep theirs, and one of which nothing stays is left out. kCorrupt as read_fragments().
Result<WithoutLeading> without_leading(const Buffer& segment, const std::vector<Track>& tracks,
                                       LeadingPictures& leading);

}  // namespace gopline::media
