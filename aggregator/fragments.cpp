#include "aggregator/fragments.h"

#include <algorithm>

#include "common/bytes/big_endian.h"
#include "common/media/boxes.h"

namespace gopline::aggregator {
namespace {

std::size_t position_in(std::span<const std::uint8_t> whole, std::span<const std::uint8_t> part) {
  return static_cast<std::size_t>(part.data() - whole.data());
}

// trun (8.8.8): how many samples, and their durations where they have their own.
void read_trun(const media::BoxView& trun, std::uint32_t default_duration, Fragment& fragment) {
  ByteReader in(trun.payload);
  auto flags = in.u32() & 0xFFFFFF;
  fragment.samples = in.u32();
  if (flags & 0x001) in.skip(4);
  if (flags & 0x004) in.skip(4);
  std::size_t others =
      4 * static_cast<std::size_t>(((flags & 0x200) != 0) + ((flags & 0x400) != 0) + ((flags & 0x800) != 0));
  bool own = (flags & 0x100) != 0;
  fragment.end = fragment.time + (own ? 0 : std::uint64_t{fragment.samples} * default_duration);
  for (std::uint32_t i = 0; own && i < fragment.samples && in.ok(); ++i) {
    fragment.end += in.u32();
    in.skip(others);
  }
}

Fragment read_moof(const media::BoxView& moof) {
  Fragment fragment;
  fragment.offset = moof.offset;
  fragment.size = moof.size;
  auto header = moof.size - moof.payload.size();
  auto traf = media::find_box(moof.payload, "traf");
  ByteReader tfhd(media::find_box(traf.payload, "tfhd").payload);
  auto flags = tfhd.u32();
  fragment.track_id = static_cast<int>(tfhd.u32());
  if (flags & 0x000001) tfhd.skip(8);
  if (flags & 0x000002) tfhd.skip(4);
  std::uint32_t default_duration = flags & 0x000008 ? tfhd.u32() : 0;
  auto box = media::find_box(traf.payload, "tfdt");
  ByteReader tfdt(box.payload);
  bool wide = tfdt.u32() >> 24 == 1;
  fragment.time = wide ? tfdt.u64() : tfdt.u32();
  if (wide && tfdt.ok()) fragment.time_at = header + position_in(moof.payload, box.payload) + 4;
  read_trun(media::find_box(traf.payload, "trun"), default_duration, fragment);
  return fragment;
}

}  // namespace

Result<std::vector<Fragment>> read_moofs(const Buffer& segment) {
  std::vector<Fragment> fragments;
  media::BoxWalker walker(segment.bytes());
  media::BoxView box;
  while (walker.next(box)) {
    if (box.type == "moof") fragments.push_back(read_moof(box));
  }
  if (walker.failed())
    return fail(ErrorCode::kCorrupt, "no box at byte {} of the segment", walker.position());
  return fragments;
}

std::int64_t timescale_of(const media::Init& init, int track_id) {
  auto track = std::ranges::find(init.tracks, track_id, &media::InitTrack::track_id);
  return track == init.tracks.end() ? 1 : track->timescale;
}

Result<BufferChain> moved_fragments(const Buffer& segment, const media::Init& init,
                                    const std::vector<Fragment>& fragments,
                                    const std::function<std::int64_t(int track_id)>& shift) {
  BufferChain out;
  std::size_t at = init.bytes.size();
  for (const auto& fragment : fragments) {
    out.append(segment.share(at, fragment.offset - at));
    auto moof = segment.share(fragment.offset, fragment.size);
    at = fragment.offset + fragment.size;
    if (fragment.time_at == 0)
      return fail(ErrorCode::kUnsupported, "a fragment's time has 32 bits and cannot be moved");
    std::vector<std::uint8_t> bytes(moof.bytes().begin(), moof.bytes().end());
    auto time = fragment.time + static_cast<std::uint64_t>(shift(fragment.track_id));
    for (std::size_t i = 0; i < 8; ++i)
      bytes[fragment.time_at + i] = static_cast<std::uint8_t>(time >> (56 - 8 * i));
    out.append(Buffer::take(std::move(bytes)));
  }
  out.append(segment.share(at, segment.size() - at));
  return out;
}

}  // namespace gopline::aggregator
