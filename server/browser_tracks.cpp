#include "server/browser_tracks.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/bytes/big_endian.h"
#include "common/media/boxes.h"
#include "common/media/segment_reader.h"

namespace gopline::server {
namespace {

// Sample entries (ISO/IEC 14496-12, 8.5.2) of codecs that HLS players know.
constexpr std::array<std::string_view, 15> kPlayable{"avc1", "avc3", "hvc1", "hev1", "av01",
                                                     "vp08", "vp09", "mp4a", "Opus", "fLaC",
                                                     "ac-3", "ec-3", "dvh1", "dvhe", "wvtt"};

bool is_for_browsers(const media::InitTrack& track) {
  return std::find(kPlayable.begin(), kPlayable.end(), track.sample_entry) != kPlayable.end();
}

int track_id_of_trak(const media::BoxView& trak) {
  ByteReader tkhd(media::find_box(trak.payload, "tkhd").payload);  // 8.3.2
  bool is_long = tkhd.u8() == 1;
  tkhd.skip(is_long ? 3 + 16 : 3 + 8);
  return static_cast<int>(tkhd.u32());
}

int track_id_of_trex(const media::BoxView& trex) {
  ByteReader in(trex.payload);  // 8.8.3
  in.skip(4);
  return static_cast<int>(in.u32());
}

int track_id_of_moof(const media::BoxView& moof) {
  auto traf = media::find_box(moof.payload, "traf");
  ByteReader tfhd(media::find_box(traf.payload, "tfhd").payload);  // 8.8.7
  tfhd.skip(4);
  return static_cast<int>(tfhd.u32());
}

bool contains(const std::vector<int>& ids, int id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// Appends the boxes of `bytes` to `out`: of moov and mvex without the traks and trexes that are left out.
void copy_boxes(std::span<const std::uint8_t> bytes, const std::vector<int>& keep, ByteWriter& out) {
  media::BoxWalker walker(bytes);
  media::BoxView box;
  while (walker.next(box)) {
    if (box.type == "trak" && !contains(keep, track_id_of_trak(box))) continue;
    if (box.type == "trex" && !contains(keep, track_id_of_trex(box))) continue;
    if (box.type != "moov" && box.type != "mvex") {
      out.raw(bytes.subspan(box.offset, box.size));
      continue;
    }
    auto begin = out.size();
    out.u32(0);
    out.text(box.type);
    copy_boxes(box.payload, keep, out);
    out.patch_u32(begin, static_cast<std::uint32_t>(out.size() - begin));
  }
}

// The first box of that type (trak or trex), with another track_ID in it. Empty: there is none.
std::vector<std::uint8_t> renumbered(std::span<const std::uint8_t> bytes, std::string_view type,
                                     int track_id) {
  auto box = media::find_box(bytes, type);
  if (box.type.empty()) return {};
  auto whole = bytes.subspan(box.offset, box.size);
  auto holder = type == "trak" ? media::find_box(box.payload, "tkhd").payload : box.payload;
  if (holder.size() < 24) return {};
  bool is_long = type == "trak" && holder[0] == 1;
  auto at = static_cast<std::size_t>(holder.data() - whole.data()) + (type == "trex" ? 4 : is_long ? 20 : 12);
  std::vector<std::uint8_t> copy(whole.begin(), whole.end());
  for (std::size_t i = 0; i < 4; ++i)
    copy[at + i] = static_cast<std::uint8_t>(static_cast<std::uint32_t>(track_id) >> (24 - 8 * i));
  return copy;
}

}  // namespace

Result<Buffer> with_track(const Buffer& init, const Buffer& other, int track_id) {
  if (init.empty()) {
    ByteWriter without;
    copy_boxes(other.bytes(), {}, without);
    return with_track(Buffer::take(without.take()), other, track_id);
  }
  auto moov = media::find_box(other.bytes(), "moov");
  auto trak = renumbered(moov.payload, "trak", track_id);
  auto trex = renumbered(media::find_box(moov.payload, "mvex").payload, "trex", track_id);
  auto own = media::find_box(init.bytes(), "moov");
  bool has_place = !media::find_box(own.payload, "mvex").type.empty();
  if (trak.empty() || trex.empty() || !has_place)
    return fail(ErrorCode::kCorrupt, "an init has no tracks in fragments");
  ByteWriter out;
  out.raw(init.bytes().subspan(0, own.offset));
  auto begin = out.size();
  out.u32(0);
  out.text("moov");
  media::BoxWalker walker(own.payload);
  media::BoxView box;
  while (walker.next(box)) {
    auto bytes = own.payload.subspan(box.offset, box.size);
    if (box.type == "mvex") {
      out.raw(trak);
      out.u32(static_cast<std::uint32_t>(box.size + trex.size()));
      out.raw(bytes.subspan(4));
      out.raw(trex);
    } else {
      out.raw(bytes);
    }
  }
  out.patch_u32(begin, static_cast<std::uint32_t>(out.size() - begin));
  out.raw(init.bytes().subspan(own.offset + own.size));
  return Buffer::take(out.take());
}

Result<BrowserTracks> browser_tracks(const Buffer& segment, std::optional<int> without) {
  GOPLINE_ASSIGN(auto init, media::read_init(segment));
  BrowserTracks tracks;
  tracks.init_size = init.bytes.size();
  for (const auto& track : init.tracks) {
    if (is_for_browsers(track) && track.track_id != without) tracks.track_ids.push_back(track.track_id);
  }
  tracks.all = tracks.track_ids.size() == init.tracks.size();
  if (tracks.all) {
    tracks.init = Buffer::copy(init.bytes.bytes());  // so that it does not keep a segment alive
    return tracks;
  }
  ByteWriter out;
  copy_boxes(init.bytes.bytes(), tracks.track_ids, out);
  tracks.init = Buffer::take(out.take());
  return tracks;
}

Result<BufferChain> browser_fragments(const Buffer& segment, const BrowserTracks& tracks) {
  if (tracks.init_size > segment.size())
    return fail(ErrorCode::kCorrupt, "the segment is shorter than its init");
  auto body = segment.share(tracks.init_size, segment.size() - tracks.init_size);
  if (tracks.all) return BufferChain(std::move(body));
  BufferChain out;
  media::BoxWalker walker(body.bytes());
  media::BoxView box;
  bool is_wanted = false;  // what follows a moof up to the next one is its
  while (walker.next(box)) {
    if (box.type == "moof") is_wanted = contains(tracks.track_ids, track_id_of_moof(box));
    if (is_wanted) out.append(body.share(box.offset, box.size));
  }
  if (walker.failed())
    return fail(ErrorCode::kCorrupt, "no box at byte {} of the segment",
                tracks.init_size + walker.position());
  return out;
}

}  // namespace gopline::server
