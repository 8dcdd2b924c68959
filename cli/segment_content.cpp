#include "cli/segment_content.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/bytes/digest.h"
#include "common/media/segment_reader.h"

namespace gopline::cli {
namespace {

// Timescale of a carried track: docs/record-format.md, section 3 (the denominator of its time base).
std::int64_t timescale_of(const std::vector<media::Track>& tracks, int track_id) {
  for (const auto& track : tracks) {
    if (track.id == track_id) return track.time_base.den;
  }
  return 1;
}

void check_main_track(const record::SegmentHeaders& headers,
                      const std::vector<media::FragmentInfo>& fragments,
                      const std::vector<media::Track>& tracks, ContentFacts& facts) {
  int main = tracks.empty() ? 0 : tracks[static_cast<std::size_t>(media::main_track_of(tracks))].id;
  auto scale = timescale_of(tracks, main);
  const media::FragmentInfo* first = nullptr;
  std::int64_t duration = 0;
  for (const auto& fragment : fragments) {
    if (fragment.track_id != main) continue;
    if (first == nullptr) first = &fragment;
    duration += fragment.duration;
  }
  if (first == nullptr) return;  // a segment of other tracks alone
  Rational start{first->base_time, scale}, length{duration, scale};
  if (start != headers.start) {
    facts.problems.push_back(fmt::format("ce_start is {} but its first fragment begins at {}",
                                         to_string(headers.start), to_string(start)));
  }
  if (headers.duration && length != *headers.duration) {
    facts.problems.push_back(fmt::format("ce_duration is {} but its fragments last {}",
                                         to_string(*headers.duration), to_string(length)));
  }
  bool is_access_point = !first->packets.empty() && first->packets.front().is_key();
  if (headers.sap != 0 && !is_access_point) {
    facts.problems.push_back(
        fmt::format("ce_sap is {} but its first sample is no access point", headers.sap));
  }
}

}  // namespace

Result<ContentFacts> read_content(const record::AssembledSegment& segment,
                                  const std::vector<media::Track>& tracks) {
  ContentFacts facts;
  if (tracks.empty()) return facts;  // opaque: what was put, whose hash was checked
  auto bytes = segment.bytes.flatten();
  if (!segment.headers.content_type.starts_with("video/mp4") &&
      !segment.headers.content_type.starts_with("audio/mp4")) {
    GOPLINE_ASSIGN(auto packets, media::unpack_segment(bytes, segment.headers.content_type, tracks));
    facts.packets = static_cast<std::int64_t>(packets.size());
    return facts;
  }
  GOPLINE_ASSIGN(auto init, media::read_init(bytes));
  facts.init_xxh3 = xxh3_hex(init.bytes.bytes());
  GOPLINE_ASSIGN(auto fragments, media::read_fragments(bytes, tracks));
  std::uint64_t end = init.bytes.size();
  for (const auto& fragment : fragments) {
    auto duration = Rational{fragment.duration, timescale_of(tracks, fragment.track_id)};
    facts.parts.push_back({fragment.track_id, fragment.offset, fragment.size, duration, 0});
    facts.packets += static_cast<std::int64_t>(fragment.packets.size());
    if (fragment.offset != end) {
      facts.problems.push_back(
          fmt::format("a fragment begins at byte {} where the one before ended at {}", fragment.offset, end));
    }
    end = fragment.offset + fragment.size;
  }
  if (end != bytes.size())
    facts.problems.push_back(fmt::format("{} bytes follow its last fragment", bytes.size() - end));
  check_main_track(segment.headers, fragments, tracks, facts);
  return facts;
}

}  // namespace gopline::cli
