#include "cli/clip_samples.h"

#include <algorithm>

#include "common/bytes/big_endian.h"
#include "common/media/boxes.h"

namespace gopline::cli {
namespace {

constexpr std::uint64_t kMostBoxBytes = 64 << 20;  // of a moov or a moof
constexpr std::size_t kMostSamples = 1 << 20;      // of a moof

bool is_held(std::string_view type) {
  return type == "moov" || type == "moof";
}

ClipTrack track_of(std::span<const std::uint8_t> trak) {
  ClipTrack track;
  ByteReader tkhd(media::find_box(trak, "tkhd").payload);
  tkhd.skip(tkhd.u32() >> 24 == 1 ? 16 : 8);
  track.id = tkhd.u32();
  auto mdia = media::find_box(trak, "mdia").payload;
  ByteReader mdhd(media::find_box(mdia, "mdhd").payload);
  mdhd.skip(mdhd.u32() >> 24 == 1 ? 16 : 8);
  track.timescale = std::max<std::uint32_t>(1, mdhd.u32());
  ByteReader hdlr(media::find_box(mdia, "hdlr").payload);
  hdlr.skip(8);
  auto handler = hdlr.raw(4);
  track.handler.assign(handler.begin(), handler.end());
  auto stbl = media::find_box(media::find_box(mdia, "minf").payload, "stbl").payload;
  Sha256 digest;
  digest.update(media::find_box(stbl, "stsd").payload);
  digest.update(media::find_box(media::find_box(trak, "edts").payload, "elst").payload);
  track.description = digest.finish_hex();
  return track;
}

}  // namespace

void ClipSamples::add(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty() && !broken_at_) {
    if (type_.empty()) {
      held_.push_back(bytes.front());
      bytes = bytes.subspan(1);
      ++at_;
      if (!begin_box()) continue;
    }
    auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    auto part = bytes.subspan(0, count);
    if (is_held(type_)) {
      held_.insert(held_.end(), part.begin(), part.end());
    } else if (type_ == "mdat") {
      take_payload(part);
    }
    at_ += count;
    left_ -= count;
    bytes = bytes.subspan(count);
    if (left_ == 0) end_box();
  }
}

// True once the header in `held_` is whole (ISO/IEC 14496-12, 4.2).
bool ClipSamples::begin_box() {
  if (held_.size() < 8) return false;
  ByteReader in(held_);
  std::uint64_t size = in.u32();
  auto name = in.raw(4);
  if (size == 1 && held_.size() < 16) return false;
  if (size == 1) size = in.u64();
  box_header_ = held_.size();
  box_at_ = at_ - box_header_;
  std::string type(name.begin(), name.end());
  if (size < box_header_ || (is_held(type) && size > kMostBoxBytes)) {
    broken_at_ = box_at_;
    return false;
  }
  type_ = std::move(type);
  left_ = size - box_header_;
  held_.clear();
  if (left_ == 0) end_box();
  return left_ > 0;
}

void ClipSamples::end_box() {
  if (type_ == "moov") read_moov(held_);
  if (type_ == "moof") read_moof(held_, box_at_);
  if (type_ == "mdat" && !expected_.empty()) broken_at_ = box_at_;  // shorter than its samples
  held_.clear();
  type_.clear();
}

void ClipSamples::read_moov(std::span<const std::uint8_t> moov) {
  media::BoxWalker walker(moov);
  media::BoxView box;
  while (walker.next(box)) {
    if (box.type == "trak") {
      auto track = track_of(box.payload);
      tracks_.insert_or_assign(track.id, std::move(track));
    }
    if (box.type != "mvex") continue;
    media::BoxWalker inner(box.payload);
    media::BoxView trex;
    while (inner.next(trex)) {
      if (trex.type != "trex") continue;
      ByteReader in(trex.payload);
      in.skip(4);
      auto id = in.u32();
      in.skip(4);
      default_durations_[id] = in.u32();
      default_sizes_[id] = in.u32();
    }
  }
  if (walker.failed() || tracks_.empty()) broken_at_ = box_at_;
}

void ClipSamples::read_moof(std::span<const std::uint8_t> moof, std::uint64_t at) {
  media::BoxWalker walker(moof);
  media::BoxView box;
  bool is_good = true;
  while (is_good && walker.next(box)) {
    if (box.type == "traf") is_good = read_traf(box.payload, at);
  }
  if (!is_good || walker.failed()) broken_at_ = at;
  std::ranges::stable_sort(expected_, {}, &Expected::offset);
}

// Runs of samples (8.8.7, 8.8.8, 8.8.12); offsets count from the moof.
bool ClipSamples::read_traf(std::span<const std::uint8_t> traf, std::uint64_t moof_at) {
  ByteReader tfhd(media::find_box(traf, "tfhd").payload);
  auto head_flags = tfhd.u32();
  auto id = tfhd.u32();
  if (!tracks_.contains(id)) return false;
  auto base = head_flags & 0x01 ? tfhd.u64() : moof_at;
  if (head_flags & 0x02) tfhd.skip(4);
  auto usual_duration = head_flags & 0x08 ? tfhd.u32() : default_durations_[id];
  auto usual_size = head_flags & 0x10 ? tfhd.u32() : default_sizes_[id];
  ByteReader tfdt(media::find_box(traf, "tfdt").payload);
  auto dts = tfdt.u32() >> 24 == 1 ? tfdt.s64() : static_cast<std::int64_t>(tfdt.u32());
  if (!tfhd.ok() || !tfdt.ok()) return false;
  auto offset = base;
  media::BoxWalker walker(traf);
  media::BoxView box;
  while (walker.next(box)) {
    if (box.type != "trun") continue;
    ByteReader in(box.payload);
    auto flags = in.u32();
    auto count = in.u32();
    if (flags & 0x01) offset = base + static_cast<std::uint64_t>(std::int64_t{in.s32()});
    if (flags & 0x04) in.skip(4);
    for (std::uint32_t i = 0; i < count; ++i) {
      auto duration = flags & 0x100 ? in.u32() : usual_duration;
      auto size = flags & 0x200 ? in.u32() : usual_size;
      if (flags & 0x400) in.skip(4);
      auto composition = flags & 0x800 ? in.s32() : 0;
      if (!in.ok() || expected_.size() >= kMostSamples) return false;
      expected_.push_back({offset, size, id, dts, dts + composition});
      offset += size;
      dts += duration;
    }
  }
  return !walker.failed();
}

// Digests what of these bytes, at `at_`, belongs to samples.
void ClipSamples::take_payload(std::span<const std::uint8_t> bytes) {
  auto end = at_ + bytes.size();
  while (!expected_.empty()) {
    const auto& sample = expected_.front();
    if (sample.offset > end || (sample.offset == end && sample.size > 0)) return;
    if (!digest_ && sample.offset < at_) {  // lies before its payload, or over another
      broken_at_ = at_;
      return;
    }
    if (!digest_) digest_ = std::make_unique<Sha256>();
    auto from = std::max(at_, sample.offset), to = std::min(end, sample.offset + sample.size);
    if (to > from) digest_->update(bytes.subspan(from - at_, to - from));
    if (sample.offset + sample.size > end) return;
    auto& track = tracks_[sample.track];
    track.samples.push_back({sample.dts, sample.pts, sample.offset, sample.size, digest_->finish_hex()});
    digest_.reset();
    ++count_;
    expected_.pop_front();
  }
}

}  // namespace gopline::cli
