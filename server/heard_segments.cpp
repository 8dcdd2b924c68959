#include "server/heard_segments.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostRenditions = 1000;

tl::unexpected<Error> no_sound(const record::IndexEntry& entry) {
  return fail(ErrorCode::kNotFound, "{}: epoch {} has no sound that is transcoded", entry.stream,
              entry.epoch);
}

}  // namespace

Result<HeardSegments::RenditionPtr> HeardSegments::make_rendition(const record::IndexEntry& entry,
                                                                  const StopToken& stop) {
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  if (segment->tracks.all) return nullptr;
  GOPLINE_ASSIGN(auto epoch, segments_.epoch_of(entry, stop));
  auto audio = sound_to_transcode(epoch.tracks, segment->tracks.track_ids);
  if (!audio) return nullptr;
  auto made = SoundRendition::of(epoch.tracks, *audio);
  if (made) return std::make_shared<const SoundRendition>(std::move(*made));
  if (made.error().code == ErrorCode::kUnsupported) return nullptr;
  return tl::unexpected<Error>(std::move(made.error()));
}

Result<HeardSegments::RenditionPtr> HeardSegments::rendition(const record::IndexEntry& entry,
                                                             const StopToken& stop) {
  std::pair key{entry.stream, entry.init_xxh3};
  {
    std::lock_guard lock(mutex_);
    if (auto found = renditions_.find(key); found != renditions_.end()) return found->second;
  }
  GOPLINE_ASSIGN(auto made, make_rendition(entry, stop));
  std::lock_guard lock(mutex_);
  if (renditions_.size() > kMostRenditions) renditions_.clear();
  return renditions_[key] = made;
}

bool HeardSegments::has_sound(const record::IndexEntry& entry, const StopToken& stop) {
  if (entry.init_xxh3.empty()) return false;
  auto found = rendition(entry, stop);
  return found && *found;  // what cannot be read is left to who asks for it
}

Result<Buffer> HeardSegments::init(const record::IndexEntry& entry, const StopToken& stop) {
  GOPLINE_ASSIGN(auto found, rendition(entry, stop));
  if (!found) return no_sound(entry);
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  return found->init(segment->tracks.init);
}

Result<BufferChain> HeardSegments::segment(const record::IndexEntry& entry, const EntryPtr& before,
                                           const StopToken& stop) {
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  GOPLINE_ASSIGN(auto sound, sounds_.get(
                                 {entry.stream, entry.epoch, entry.segment},
                                 [&] { return transcode(entry, before, stop); },
                                 [](const BufferChain& bytes) { return bytes.size(); }));
  auto bytes = segment->fragments;
  bytes.append(*sound);
  return bytes;
}

Result<std::shared_ptr<const BufferChain>> HeardSegments::transcode(const record::IndexEntry& entry,
                                                                    const EntryPtr& before,
                                                                    const StopToken& stop) {
  GOPLINE_ASSIGN(auto found, rendition(entry, stop));
  if (!found) return no_sound(entry);
  GOPLINE_ASSIGN(auto segment, segments_.get(entry, stop));
  SegmentPtr earlier;
  if (before) {
    auto read = segments_.get(*before, stop);
    if (!read && read.error().code != ErrorCode::kNotFound && read.error().code != ErrorCode::kCorrupt)
      return tl::unexpected<Error>(std::move(read.error()));
    if (read) earlier = *read;
  }
  auto began = clock_.steady_now();
  GOPLINE_ASSIGN(auto sound, found->fragment(segment->bytes, earlier ? &earlier->bytes : nullptr));
  metrics_.count_transcoded(std::chrono::duration_cast<Duration>(clock_.steady_now() - began));
  return std::make_shared<const BufferChain>(std::move(sound));
}

}  // namespace gopline::server
