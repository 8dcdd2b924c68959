#include "server/heard_segments.h"

#include "server/browser_tracks.h"
#include "server/hls_playlist.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostRenditions = 1000;

tl::unexpected<Error> no_sound(const record::IndexEntry& entry) {
  return fail(ErrorCode::kNotFound, "{}: epoch {} has no sound that is transcoded", entry.stream,
              entry.epoch);
}

// nullptr: browsers are given all the sound there is.
Result<HeardSegments::RenditionPtr> rendition_of(const std::vector<media::Track>& tracks,
                                                 const std::vector<int>& playable) {
  auto audio = sound_to_transcode(tracks, playable);
  if (!audio) return nullptr;
  auto made = SoundRendition::of(tracks, *audio);
  if (made) return std::make_shared<const SoundRendition>(std::move(*made));
  if (made.error().code == ErrorCode::kUnsupported) return nullptr;
  return tl::unexpected<Error>(std::move(made.error()));
}

}  // namespace

Result<HeardSegments::RenditionPtr> HeardSegments::make_rendition(const record::IndexEntry& entry,
                                                                  const StopToken& stop) {
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  if (segment->tracks.all) return nullptr;
  GOPLINE_ASSIGN(auto epoch, segments_.epoch_of(entry, stop));
  return rendition_of(epoch.tracks, segment->tracks.track_ids);
}

std::optional<HeardSegments::RenditionPtr> HeardSegments::known(const InitKey& key) {
  std::lock_guard lock(mutex_);
  auto found = renditions_.find(key);
  return found == renditions_.end() ? std::nullopt : std::optional(found->second);
}

HeardSegments::RenditionPtr HeardSegments::remember(const InitKey& key, RenditionPtr made) {
  std::lock_guard lock(mutex_);
  if (renditions_.size() > kMostRenditions) renditions_.clear();
  return renditions_[key] = std::move(made);
}

Result<HeardSegments::RenditionPtr> HeardSegments::rendition(const record::IndexEntry& entry,
                                                             const StopToken& stop) {
  InitKey key{entry.stream, init_name(entry)};
  if (auto found = known(key)) return *found;
  GOPLINE_ASSIGN(auto made, make_rendition(entry, stop));
  return remember(key, std::move(made));
}

Result<HeardSegments::RenditionPtr> HeardSegments::rendition(const LiveSegment& segment) {
  InitKey key{segment.headers.stream, segment.init_xxh3};
  if (auto found = known(key)) return *found;
  GOPLINE_ASSIGN(auto made, rendition_of(segment.tracks, segment.playable));
  return remember(key, std::move(made));
}

bool HeardSegments::has_sound(const record::IndexEntry& entry, const StopToken& stop) {
  auto found = rendition(entry, stop);
  return found && *found;  // what cannot be read is left to who asks for it
}

Result<Buffer> HeardSegments::with_sound(const Buffer& init, const record::IndexEntry& entry,
                                         const StopToken& stop) {
  GOPLINE_ASSIGN(auto found, rendition(entry, stop));
  if (!found) return init;
  GOPLINE_ASSIGN(auto alone, found->init());
  return with_track(init, alone, found->track_id());
}

Result<BufferChain> HeardSegments::sound(const record::IndexEntry& entry, const EntryPtr& before,
                                         const StopToken& stop) {
  GOPLINE_ASSIGN(auto found, rendition(entry, stop));
  if (!found) return BufferChain();
  return once({entry.stream, entry.epoch, entry.segment, kWhole},
              [&] { return transcode(*found, entry, before, stop); });
}

Result<BufferChain> HeardSegments::once(const Key& key, const std::function<Result<BufferChain>()>& make) {
  auto make_timed = [&]() -> Result<std::shared_ptr<const BufferChain>> {
    auto began = clock_.steady_now();
    GOPLINE_ASSIGN(auto sound, make());
    metrics_.count_transcoded_sound(std::chrono::duration_cast<Duration>(clock_.steady_now() - began));
    return std::make_shared<const BufferChain>(std::move(sound));
  };
  GOPLINE_ASSIGN(auto sound,
                 sounds_.get(key, make_timed, [](const BufferChain& bytes) { return bytes.size(); }));
  return *sound;
}

Result<Buffer> HeardSegments::init(const record::IndexEntry& entry, const StopToken& stop) {
  if (!has_sound(entry, stop)) return no_sound(entry);
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  return with_sound(segment->tracks.init, entry, stop);
}

Result<BufferChain> HeardSegments::segment(const record::IndexEntry& entry, const EntryPtr& before,
                                           const StopToken& stop) {
  if (!has_sound(entry, stop)) return no_sound(entry);
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  GOPLINE_ASSIGN(auto sound, this->sound(entry, before, stop));
  auto bytes = segment->fragments;
  bytes.append(sound);
  return bytes;
}

Result<BufferChain> HeardSegments::transcode(const SoundRendition& rendition, const record::IndexEntry& entry,
                                             const EntryPtr& before, const StopToken& stop) {
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  std::vector<StoredMedia> earlier;
  if (before) {
    auto read = segments_.get(*before, stop);
    if (!read && read.error().code != ErrorCode::kNotFound && read.error().code != ErrorCode::kCorrupt)
      return tl::unexpected<Error>(std::move(read.error()));
    if (read) earlier.push_back(stored_media(**read, *before));
  }
  return rendition.fragment(stored_media(*segment, entry), earlier);
}

}  // namespace gopline::server
