#include "server/seen_segments.h"

#include <algorithm>
#include <array>
#include <thread>

#include "common/media/segment_reader.h"
#include "server/browser_tracks.h"
#include "server/hls_playlist.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostTranscoded = 64 << 20;  // bytes
constexpr std::size_t kMostKnown = 1000;
constexpr std::size_t kLongestGop = 60;  // segments that it was cut into
constexpr std::uint64_t kLargestGop = 256 << 20;

// An encoder has two threads.
std::size_t transcodings_at_once() {
  return std::max(1u, std::thread::hardware_concurrency() / 2);
}

// Sample entries of video that browsers may know; H.264 they all do.
SeenAs seen_as_entry(std::string_view sample_entry) {
  static constexpr std::array<std::string_view, 7> kPerhaps{"hvc1", "hev1", "av01", "vp08",
                                                            "vp09", "dvh1", "dvhe"};
  if (sample_entry == "avc1" || sample_entry == "avc3") return SeenAs::kStored;
  bool may_be = std::find(kPerhaps.begin(), kPerhaps.end(), sample_entry) != kPerhaps.end();
  return may_be ? SeenAs::kEither : SeenAs::kTranscoded;
}

const media::InitTrack* track_in(const media::Init& init, int track_id) {
  auto found = std::find_if(init.tracks.begin(), init.tracks.end(),
                            [&](const auto& track) { return track.track_id == track_id; });
  return found == init.tracks.end() ? nullptr : &*found;
}

bool has_h264(const media::Init& init) {
  return std::any_of(init.tracks.begin(), init.tracks.end(), [](const auto& track) {
    return track.sample_entry == "avc1" || track.sample_entry == "avc3";
  });
}

// These are small, and counted: a cache keeps kMostKnown of them.
template <typename T>
std::size_t one_each(const T&) {
  return 0;  // besides the one that each counts for
}

tl::unexpected<Error> nothing_to_transcode(const record::IndexEntry& entry) {
  return fail(ErrorCode::kNotFound, "{}: epoch {} has no pictures that are transcoded", entry.stream,
              entry.epoch);
}

}  // namespace

SeenSegments::SeenSegments(SegmentStore& segments, EntryFinder& finder, HeardSegments& heard,
                           const Clock& clock, const ServerMetrics& metrics)
    : segments_(segments),
      finder_(finder),
      heard_(heard),
      clock_(clock),
      metrics_(metrics),
      known_(kMostKnown),
      facts_(kMostKnown),
      transcodings_(transcodings_at_once(), kMostTranscoded, metrics) {}

Result<SeenSegments::Known> SeenSegments::look_at(const record::IndexEntry& entry, const StopToken& stop) {
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  media::Init init;
  if (!segment->is_nut) {
    GOPLINE_ASSIGN(init, media::read_init(segment->bytes));
    if (has_h264(init)) return Known{};
  }
  GOPLINE_ASSIGN(auto epoch, segments_.epoch_of(entry, stop));
  auto made = VideoRendition::of(epoch.tracks);
  if (!made && made.error().code == ErrorCode::kUnsupported) return Known{};
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  const auto* track = track_in(init, made->track_id());
  auto seen_as = track ? seen_as_entry(track->sample_entry) : SeenAs::kTranscoded;
  return Known{seen_as, std::move(*made)};
}

Result<SeenSegments::KnownPtr> SeenSegments::known(const record::IndexEntry& entry, const StopToken& stop) {
  return known_.get(
      {entry.stream, init_name(entry)},
      [&]() -> Result<KnownPtr> {
        GOPLINE_ASSIGN(auto made, look_at(entry, stop));
        return std::make_shared<const Known>(std::move(made));
      },
      one_each<Known>);
}

SeenAs SeenSegments::seen_as(const record::IndexEntry& entry, const StopToken& stop) {
  auto found = known(entry, stop);
  return found ? (*found)->seen_as : SeenAs::kStored;
}

Result<SeenSegments::Facts> SeenSegments::facts(const record::IndexEntry& entry, const StopToken& stop) {
  GOPLINE_ASSIGN(auto found, facts_.get(
                                 {entry.stream, init_name(entry)},
                                 [&]() -> Result<std::shared_ptr<const Facts>> {
                                   GOPLINE_ASSIGN(auto made, look_for_facts(entry, stop));
                                   return std::make_shared<const Facts>(std::move(made));
                                 },
                                 one_each<Facts>));
  return *found;
}

Result<SeenSegments::Facts> SeenSegments::look_for_facts(const record::IndexEntry& entry,
                                                         const StopToken& stop) {
  GOPLINE_ASSIGN(auto found, known(entry, stop));
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  GOPLINE_ASSIGN(auto epoch, segments_.epoch_of(entry, stop));
  media::Init init;
  if (!segment->is_nut) {
    GOPLINE_ASSIGN(init, media::read_init(segment->bytes));
  }
  const auto& rendition = found->rendition;
  Facts facts;
  facts.seen_as = found->seen_as;
  if (rendition) facts.most_bit_rate = rendition->most_bit_rate();
  bool must_be = found->seen_as == SeenAs::kTranscoded;
  for (const auto& track : epoch.tracks) {
    bool is_kept =
        std::count(segment->tracks.track_ids.begin(), segment->tracks.track_ids.end(), track.id) > 0;
    bool is_pictures = rendition && track.id == rendition->track_id();
    const auto* own = track_in(init, track.id);
    auto codec = is_kept && own ? media::rfc6381_codec(track, own->sample_entry) : "";
    if (is_pictures) facts.transcoded.push_back(rendition->codec());
    if (is_pictures && must_be) codec = rendition->codec();
    if (!codec.empty()) facts.codecs.push_back(codec);
    if (!codec.empty() && !is_pictures) facts.transcoded.push_back(codec);
    if (track.codec.type == media::MediaType::kVideo && facts.width == 0) {
      facts.width = track.codec.width;
      facts.height = track.codec.height;
    }
  }
  if (heard_.has_sound(entry, stop)) {
    facts.codecs.emplace_back("mp4a.40.2");
    facts.transcoded.emplace_back("mp4a.40.2");
  }
  return facts;
}

Result<Buffer> SeenSegments::init(const record::IndexEntry& entry, const StopToken& stop) {
  GOPLINE_ASSIGN(auto found, known(entry, stop));
  if (!found->rendition) return nothing_to_transcode(entry);
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  Buffer others;
  if (!segment->is_nut) {
    GOPLINE_ASSIGN(auto tracks, browser_tracks(segment->bytes, found->rendition->track_id()));
    if (!tracks.track_ids.empty()) others = tracks.init;
  }
  GOPLINE_ASSIGN(auto video, found->rendition->init());
  GOPLINE_ASSIGN(auto init, with_track(others, video, found->rendition->track_id()));
  return heard_.with_sound(init, entry, stop);
}

// The segments that have to be decoded, the last of which is the one that is wanted.
Result<std::vector<EntryPtr>> SeenSegments::group_of(const EntryPtr& entry, const VideoRendition& rendition,
                                                     const StopToken& stop) {
  std::vector<EntryPtr> group{entry};
  auto bytes = entry->size;
  while (group.size() == 1 ? rendition.needs_earlier(entry->sap) : group.front()->sap == 0) {
    bool has_room = group.size() < kLongestGop && bytes < kLargestGop;
    auto before = has_room ? finder_.before(*group.front(), stop) : nullptr;
    if (before) {
      bytes += before->size;
      group.insert(group.begin(), before);
      continue;
    }
    if (group.front()->sap != 0) break;  // the first of an epoch: what leads to it was never there
    return fail(ErrorCode::kNotFound,
                "{}: the key frame that segment {} of epoch {} needs is not there, or too far back",
                entry->stream, entry->segment, entry->epoch);
  }
  return group;
}

Transcodings::Made SeenSegments::transcode(const std::vector<EntryPtr>& group,
                                           const VideoRendition& rendition, const StopToken& stop,
                                           const Transcodings::IsWanted& is_wanted) {
  std::vector<StoredMedia> media;
  for (const auto& entry : group) {
    auto segment = segments_.get(*entry, stop);
    if (segment) {
      media.push_back(stored_media(**segment, *entry));
      continue;
    }
    if (entry == group.back() || group.back()->sap == 0)
      return tl::unexpected<Error>(std::move(segment.error()));
    media.clear();  // the first pictures of an open GOP are lost, the others are not
  }
  auto began = clock_.steady_now();
  auto made = rendition.fragment(media, is_wanted);
  if (!made) return fail_with_context(group.back()->stream, made.error());
  metrics_.count_transcoded_video(std::chrono::duration_cast<Duration>(clock_.steady_now() - began));
  return std::make_shared<const BufferChain>(std::move(*made));
}

Result<BufferChain> SeenSegments::with_other_tracks(const BufferChain& video, const EntryPtr& entry,
                                                    int video_id, const StopToken& stop) {
  GOPLINE_ASSIGN(auto segment, segments_.get(*entry, stop));
  auto bytes = video;
  if (!segment->is_nut) {
    GOPLINE_ASSIGN(auto tracks, browser_tracks(segment->bytes, video_id));
    GOPLINE_ASSIGN(auto others, browser_fragments(segment->bytes, tracks));
    bytes.append(others);
  }
  if (!heard_.has_sound(*entry, stop)) return bytes;
  GOPLINE_ASSIGN(auto sound, heard_.sound(*entry, finder_.before(*entry, stop), stop));
  bytes.append(sound);
  return bytes;
}

void SeenSegments::segment(EntryPtr entry, const StopToken& gone, const StopToken& stop,
                           std::function<void(Result<BufferChain>)> then) {
  auto found = known(*entry, stop);
  if (!found) return then(tl::unexpected<Error>(std::move(found.error())));
  auto use = *found;
  if (!use->rendition) return then(nothing_to_transcode(*entry));
  auto group = group_of(entry, *use->rendition, stop);
  if (!group) return then(tl::unexpected<Error>(std::move(group.error())));
  transcodings_.get(
      {entry->stream, entry->epoch, entry->segment},
      [this, use, stop, group = std::move(*group)](const Transcodings::IsWanted& is_wanted) {
        return transcode(group, *use->rendition, stop, is_wanted);
      },
      gone,
      [this, use, stop, entry, then = std::move(then)](Transcodings::Made video) {
        if (!video) return then(tl::unexpected<Error>(std::move(video.error())));
        then(with_other_tracks(**video, entry, use->rendition->track_id(), stop));
      });
}

}  // namespace gopline::server
