#include "common/media/segment_reader.h"

#include <algorithm>

#include "common/bytes/big_endian.h"
#include "common/media/boxes.h"
#include "common/media/exact_box.h"
#include "common/media/nut_segment.h"
#include "common/media/sample_flags.h"

namespace gopline::media {
namespace {

// Media times beyond this are damage: seventy years in nanoseconds are less. Sums of two cannot overflow.
constexpr std::int64_t kMostTicks = INT64_MAX / 4;

tl::unexpected<Error> corrupt(std::string_view what, std::uint64_t offset) {
  return fail(ErrorCode::kCorrupt, "{} at byte {} of the segment", what, offset);
}

// trak of the init: tkhd (8.3.2) gives track_ID, mdia/mdhd (8.4.2) the timescale, stsd (8.5.2) the first
// sample entry's name.
Result<InitTrack> read_trak(const BoxView& trak) {
  InitTrack track;
  ByteReader tkhd(find_box(trak.payload, "tkhd").payload);
  bool tkhd_is_long = tkhd.u8() == 1;
  tkhd.skip(tkhd_is_long ? 3 + 16 : 3 + 8);
  track.track_id = static_cast<int>(tkhd.u32());
  auto mdia = find_box(trak.payload, "mdia");
  ByteReader mdhd(find_box(mdia.payload, "mdhd").payload);
  bool mdhd_is_long = mdhd.u8() == 1;
  mdhd.skip(mdhd_is_long ? 3 + 16 : 3 + 8);
  track.timescale = mdhd.u32();
  auto stbl = find_box(find_box(mdia.payload, "minf").payload, "stbl");
  ByteReader stsd(find_box(stbl.payload, "stsd").payload);
  stsd.skip(4 + 4 + 4);
  auto name = stsd.raw(4);
  if (!tkhd.ok() || !mdhd.ok() || !stsd.ok() || track.timescale == 0)
    return corrupt("damaged trak", trak.offset);
  track.sample_entry.assign(name.begin(), name.end());
  return track;
}

// tfhd (8.8.7), as far as our writer and common others use it.
struct TrackFragmentHeader {
  int track_id = 0;
  std::uint32_t default_duration = 0;
  std::uint32_t default_size = 0;
  std::uint32_t default_flags = 0;
};

Result<TrackFragmentHeader> read_tfhd(const BoxView& box, std::uint64_t at) {
  ByteReader in(box.payload);
  auto flags = in.u32() & 0xFFFFFF;
  TrackFragmentHeader header;
  header.track_id = static_cast<int>(in.u32());
  if (flags & 0x000001) return corrupt("tfhd with an absolute data offset", at);
  if (flags & 0x000002) in.u32();  // sample_description_index
  if (flags & 0x000008) header.default_duration = in.u32();
  if (flags & 0x000010) header.default_size = in.u32();
  if (flags & 0x000020) header.default_flags = in.u32();
  if (!in.ok()) return corrupt("damaged tfhd", at);
  return header;
}

std::uint32_t packet_flags_from(std::uint32_t sample_flags_value) {
  std::uint32_t flags = 0;
  if (!(sample_flags_value & sample_flags::kNonSync)) flags |= packet_flags::kKey;
  if ((sample_flags_value & sample_flags::kDependedOnMask) == sample_flags::kDisposable)
    flags |= packet_flags::kDisposable;
  return flags;
}

// Reads one moof and the samples it points at. Timeline ticks become source ticks by origin and time base.
class FragmentReader {
 public:
  FragmentReader(const Buffer& segment, const std::vector<Track>& tracks)
      : segment_(segment), tracks_(tracks) {}

  Result<FragmentInfo> read(const BoxView& moof) {
    moof_ = &moof;
    ByteReader mfhd(find_box(moof.payload, "mfhd").payload);
    mfhd.skip(4);
    info_.sequence = mfhd.u32();
    info_.offset = moof.offset;
    auto traf = find_box(moof.payload, "traf");
    if (traf.type.empty() || !mfhd.ok()) return corrupt("moof without mfhd or traf", moof.offset);
    GOPLINE_ASSIGN(header_, read_tfhd(find_box(traf.payload, "tfhd"), moof.offset));
    info_.track_id = header_.track_id;
    auto track = std::ranges::find(tracks_, header_.track_id, &Track::id);
    if (track == tracks_.end()) return corrupt("fragment of an unknown track", moof.offset);
    track_ = &*track;
    ByteReader tfdt(find_box(traf.payload, "tfdt").payload);
    info_.base_time = tfdt.u32() >> 24 == 1 ? tfdt.s64() : static_cast<std::int64_t>(tfdt.u32());
    if (!tfdt.ok() || info_.base_time < 0) return corrupt("damaged tfdt", moof.offset);
    GOPLINE_TRY(find_exact_box());
    info_.origin = exact_.origin;
    auto trun = find_box(traf.payload, "trun");
    if (trun.type.empty()) return corrupt("traf without trun", moof.offset);
    if (info_.base_time > kMostTicks || exact_.origin < -kMostTicks || exact_.origin > kMostTicks) {
      return corrupt("fragment at a time that no clock reaches", moof.offset);
    }
    GOPLINE_TRY(read_trun(trun));
    GOPLINE_TRY(apply_exact_box());
    return std::move(info_);
  }

 private:
  Result<void> find_exact_box() {
    BoxWalker walker(moof_->payload);
    BoxView box;
    while (walker.next(box)) {
      if (box.type == "uuid" && is_exact_box_type(box.extended_type)) {
        GOPLINE_ASSIGN(exact_, read_exact_box(box.payload));
        return {};
      }
    }
    return corrupt("moof without exact box", moof_->offset);
  }

  // trun (8.8.8)
  Result<void> read_trun(const BoxView& box) {
    ByteReader in(box.payload);
    auto flags = in.u32() & 0xFFFFFF;
    auto count = in.u32();
    std::uint64_t data = moof_->offset + moof_->size + 8;
    if (flags & 0x000001)
      data = moof_->offset + static_cast<std::uint64_t>(static_cast<std::int64_t>(in.s32()));
    std::optional<std::uint32_t> first_flags;
    if (flags & 0x000004) first_flags = in.u32();
    std::size_t row_bytes = 4 * static_cast<std::size_t>(((flags & 0x100) != 0) + ((flags & 0x200) != 0) +
                                                         ((flags & 0x400) != 0) + ((flags & 0x800) != 0));
    // A count that its own box or the segment cannot hold is damage, not a reason to allocate.
    if (!in.ok() || (row_bytes ? count > in.left() / row_bytes : count > segment_.size() + 1)) {
      return corrupt("trun with too many samples", moof_->offset);
    }
    info_.packets.reserve(count);
    info_.times.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint32_t duration = flags & 0x100 ? in.u32() : header_.default_duration;
      std::uint32_t size = flags & 0x200 ? in.u32() : header_.default_size;
      std::uint32_t sample_flags_value =
          flags & 0x400 ? in.u32() : (i == 0 && first_flags ? *first_flags : header_.default_flags);
      std::int32_t composition = flags & 0x800 ? in.s32() : 0;
      if (data > segment_.size() || size > segment_.size() - data)
        return corrupt("sample beyond the end", moof_->offset);
      add_packet(segment_.share(data, size), duration, packet_flags_from(sample_flags_value), composition);
      data += size;
    }
    if (!in.ok()) return corrupt("damaged trun", moof_->offset);
    info_.size = data - info_.offset;
    return {};
  }

  void add_packet(Buffer data, std::uint32_t duration, std::uint32_t flags, std::int32_t composition) {
    auto num = track_->time_base.num;
    auto time = info_.base_time + info_.duration;
    Packet packet;
    packet.track = static_cast<int>(track_ - tracks_.data());
    packet.dts = time / num + exact_.origin;
    packet.pts = (time + composition) / num + exact_.origin;
    packet.duration = duration / num;
    packet.flags = flags;
    packet.data = std::move(data);
    info_.times.push_back(time);
    info_.packets.push_back(std::move(packet));
    info_.duration += duration;
  }

  Result<void> apply_exact_box() {
    for (const auto& entry : exact_.entries) {
      if (entry.sample >= info_.packets.size())
        return corrupt("exact entry of a sample that is not there", moof_->offset);
      auto& packet = info_.packets[entry.sample];
      ByteReader in(entry.bytes);
      switch (entry.kind) {
        case ExactKind::kDuration:
          packet.duration = in.s64();
          break;
        case ExactKind::kNoPts:
          packet.pts.reset();
          break;
        case ExactKind::kNoDts:
          packet.dts.reset();
          break;
        case ExactKind::kSideData: {
          auto id = in.u8();
          packet.side_data.push_back({id, Buffer::copy(in.raw(in.left()))});
          break;
        }
        case ExactKind::kFlags:
          packet.flags = in.u32();
          break;
        case ExactKind::kTrueDts:
          if (packet.dts) packet.dts = in.s64();
          break;
        case ExactKind::kTruePts:
          if (packet.pts) packet.pts = in.s64();
          break;
        default:
          break;  // a kind of a later minor version: not needed to play
      }
      if (!in.ok()) return corrupt("exact entry cut short", moof_->offset);
    }
    return {};
  }

  const Buffer& segment_;
  const std::vector<Track>& tracks_;
  const BoxView* moof_ = nullptr;
  const Track* track_ = nullptr;
  TrackFragmentHeader header_;
  ExactBox exact_;
  FragmentInfo info_;
};

}  // namespace

Result<Init> read_init(const Buffer& segment) {
  Init init;
  BoxWalker walker(segment.bytes());
  BoxView box;
  while (walker.next(box) && box.type != "moof") {
    if (box.type != "moov") continue;
    BoxWalker traks(box.payload);
    BoxView trak;
    while (traks.next(trak)) {
      if (trak.type != "trak") continue;
      GOPLINE_ASSIGN(auto track, read_trak(trak));
      init.tracks.push_back(std::move(track));
    }
    init.bytes = segment.share(0, box.offset + box.size);
  }
  if (walker.failed()) return corrupt("no box", walker.position());
  if (init.tracks.empty()) return corrupt("no moov with tracks before the first fragment", 0);
  return init;
}

Result<std::vector<FragmentInfo>> read_fragments(const Buffer& segment, const std::vector<Track>& tracks) {
  std::vector<FragmentInfo> fragments;
  BoxWalker walker(segment.bytes());
  BoxView box;
  while (walker.next(box)) {
    if (box.type != "moof") continue;
    GOPLINE_ASSIGN(auto fragment, FragmentReader(segment, tracks).read(box));
    fragments.push_back(std::move(fragment));
  }
  if (walker.failed()) return corrupt("no box", walker.position());
  return fragments;
}

std::optional<PlayablePrefix> playable_prefix(const Buffer& beginning, std::string_view content_type,
                                              const std::vector<Track>& tracks) {
  bool is_mp4 = content_type.starts_with("video/mp4") || content_type.starts_with("audio/mp4");
  if (!is_mp4 || tracks.empty()) return std::nullopt;
  PlayablePrefix prefix;
  BoxWalker walker(beginning.bytes());  // it ends before a box that is cut short
  BoxView box;
  bool after_moof = false;
  while (walker.next(box)) {
    if (after_moof && box.type == "mdat") prefix.size = box.offset + box.size;
    after_moof = box.type == "moof";
  }
  if (prefix.size == 0) return std::nullopt;
  auto bytes = beginning.share(0, prefix.size);
  auto fragments = read_fragments(bytes, tracks);
  if (!fragments || !read_init(bytes)) return std::nullopt;
  const auto& main = tracks[static_cast<std::size_t>(main_track_of(tracks))];
  for (const auto& fragment : *fragments) {
    if (fragment.track_id != main.id) continue;
    if (!prefix.start && !fragment.packets.empty()) {
      const auto& first = fragment.packets.front();
      prefix.start = fragment.base_time;
      prefix.first_pts = first.pts ? (*first.pts - fragment.origin) * main.time_base.num : fragment.base_time;
    }
    prefix.duration += fragment.duration;
  }
  prefix.fragments = fragments->size();
  prefix.timescale = main.time_base.den;
  return prefix;
}

Result<std::vector<Packet>> unpack_segment(const Buffer& segment, std::string_view content_type,
                                           const std::vector<Track>& tracks) {
  if (content_type.starts_with("video/x-nut")) return read_nut_segment(segment, tracks);
  GOPLINE_ASSIGN(auto fragments, read_fragments(segment, tracks));
  struct Placed {
    Rational time;
    Packet packet;
  };
  std::vector<Placed> placed;
  for (auto& fragment : fragments) {
    for (std::size_t i = 0; i < fragment.packets.size(); ++i) {
      auto den = tracks[static_cast<std::size_t>(fragment.packets[i].track)].time_base.den;
      placed.push_back({{fragment.times[i], den}, std::move(fragment.packets[i])});
    }
  }
  std::ranges::stable_sort(placed, {}, &Placed::time);
  std::vector<Packet> packets;
  packets.reserve(placed.size());
  for (auto& entry : placed) packets.push_back(std::move(entry.packet));
  return packets;
}

}  // namespace gopline::media
