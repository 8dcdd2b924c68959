#include "common/media/leading_pictures.h"

#include <algorithm>

#include "common/media/fragment_writer.h"
#include "common/media/segment_reader.h"

namespace gopline::media {

LeadingPictures LeadingPictures::of(const std::vector<Packet>& packets, int main) {
  auto access = std::ranges::find(packets, main, &Packet::track);
  return access == packets.end() ? LeadingPictures() : LeadingPictures(main, access->pts);
}

bool LeadingPictures::contain(const Packet& packet) {
  if (!access_pts_ || packet.track != main_) return false;
  if (packet.is_key() && packet.pts != access_pts_) {
    access_pts_.reset();
    return false;
  }
  return packet.pts && *packet.pts < *access_pts_;
}

namespace {

// What stays of a fragment. A sample's time ends where the next one's begins, and the last one's with the
// fragment.
Run kept_of(const FragmentInfo& fragment, const Track& track, LeadingPictures& leading) {
  Run run{0, fragment.origin, {}};
  for (std::size_t i = 0; i < fragment.packets.size(); ++i) {
    const auto& packet = fragment.packets[i];
    if (leading.contain(packet)) continue;
    auto time = fragment.times[i];
    if (!run.packets.empty()) run.packets.back().duration = time - run.packets.back().time;
    auto dts = packet.dts.value_or(time / track.time_base.num + fragment.origin);
    run.packets.push_back({packet, dts, packet.pts.value_or(dts), time, 0});
  }
  if (!run.packets.empty()) {
    run.packets.back().duration = fragment.base_time + fragment.duration - run.packets.back().time;
  }
  return run;
}

}  // namespace

Result<WithoutLeading> without_leading(const Buffer& segment, const std::vector<Track>& tracks,
                                       LeadingPictures& leading) {
  GOPLINE_ASSIGN(auto init, read_init(segment));
  GOPLINE_ASSIGN(auto fragments, read_fragments(segment, tracks));
  BufferChain out(init.bytes);
  WithoutLeading result;
  for (const auto& fragment : fragments) {
    const auto& track = *std::ranges::find(tracks, fragment.track_id, &Track::id);
    auto run = kept_of(fragment, track, leading);
    auto dropped = fragment.packets.size() - run.packets.size();
    result.dropped += dropped;
    if (dropped == 0) {
      out.append(segment.share(fragment.offset, fragment.size));
    } else if (!run.packets.empty()) {
      GOPLINE_ASSIGN(auto rewritten, write_fragment(run, track, fragment.sequence));
      out.append(rewritten);
    }
  }
  result.bytes = result.dropped == 0 ? segment : out.flatten();
  return result;
}

}  // namespace gopline::media
