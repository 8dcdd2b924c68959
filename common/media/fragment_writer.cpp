#include "common/media/fragment_writer.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "common/bytes/big_endian.h"
#include "common/media/exact_box.h"
#include "common/media/sample_flags.h"

namespace gopline::media {
namespace {

// Payloads up to this size are copied together: a gathered write of many small pieces costs more than the
// copy.
constexpr std::size_t kShareAbove = 4096;

// tfhd flags (8.8.7.1)
constexpr std::uint32_t kDefaultDuration = 0x000008;
constexpr std::uint32_t kDefaultFlags = 0x000020;
constexpr std::uint32_t kDefaultBaseIsMoof = 0x020000;
// trun flags (8.8.8.1)
constexpr std::uint32_t kDataOffset = 0x000001;
constexpr std::uint32_t kFirstSampleFlags = 0x000004;
constexpr std::uint32_t kSampleDuration = 0x000100;
constexpr std::uint32_t kSampleSize = 0x000200;
constexpr std::uint32_t kSampleFlags = 0x000400;
constexpr std::uint32_t kSampleCompositionOffset = 0x000800;

struct SampleRow {
  std::uint32_t duration = 0;
  std::uint32_t size = 0;
  std::uint32_t flags = 0;
  std::int32_t composition_offset = 0;
};

std::uint32_t sample_flags_of(const Packet& packet) {
  std::uint32_t flags = packet.is_key() ? sample_flags::kDependsOnNothing
                                        : sample_flags::kDependsOnOthers | sample_flags::kNonSync;
  if (packet.flags & packet_flags::kDisposable) flags |= sample_flags::kDisposable;
  return flags;
}

// A box whose size is filled in when it ends.
class OpenBox {
 public:
  OpenBox(ByteWriter& out, std::string_view type) : out_(out), begin_(out.size()) {
    out_.u32(0);
    out_.text(type);
  }
  OpenBox(const OpenBox&) = delete;
  OpenBox& operator=(const OpenBox&) = delete;
  ~OpenBox() { out_.patch_u32(begin_, static_cast<std::uint32_t>(out_.size() - begin_)); }

 private:
  ByteWriter& out_;
  std::size_t begin_;
};

void full_box(ByteWriter& out, std::uint8_t version, std::uint32_t flags) {
  out.u8(version);
  out.u24(flags);
}

class FragmentWriter {
 public:
  FragmentWriter(const Run& run, const Track& track, std::uint32_t sequence)
      : run_(run), track_(track), sequence_(sequence), num_(track.time_base.num), exact_(run.origin) {}

  Result<BufferChain> write() {
    rows_.reserve(run_.packets.size());
    for (std::size_t i = 0; i < run_.packets.size(); ++i) GOPLINE_TRY(add_row(static_cast<std::uint32_t>(i)));
    if (payload_bytes_ > std::numeric_limits<std::uint32_t>::max() - 8) {
      return fail(ErrorCode::kTooLarge, "track {}: a fragment of {} bytes; lower --max-segment-bytes",
                  track_.id, payload_bytes_);
    }
    ByteWriter head;
    head.reserve(128 + rows_.size() * 16);
    write_moof(head);
    head.patch_u32(data_offset_at_, static_cast<std::uint32_t>(head.size() + 8));
    head.u32(static_cast<std::uint32_t>(8 + payload_bytes_));
    head.text("mdat");
    return with_payload(std::move(head));
  }

 private:
  Result<void> add_row(std::uint32_t index) {
    const auto& timed = run_.packets[index];
    const auto& packet = timed.packet;
    SampleRow row;
    row.size = static_cast<std::uint32_t>(packet.data.size());
    row.flags = sample_flags_of(packet);
    row.duration = static_cast<std::uint32_t>(timed.duration);
    payload_bytes_ += packet.data.size();

    bool fits = true;
    auto composition = (timed.pts - run_.origin) * num_ - timed.time;
    if (composition >= std::numeric_limits<std::int32_t>::min() &&
        composition <= std::numeric_limits<std::int32_t>::max()) {
      row.composition_offset = static_cast<std::int32_t>(composition);
    } else {
      fits &= exact_.add_s64(ExactKind::kTruePts, index, timed.pts);
    }
    if ((timed.dts - run_.origin) * num_ != timed.time)
      fits &= exact_.add_s64(ExactKind::kTrueDts, index, timed.dts);
    if (packet.duration * num_ != timed.duration)
      fits &= exact_.add_s64(ExactKind::kDuration, index, packet.duration);
    if (!packet.pts) fits &= exact_.add(ExactKind::kNoPts, index);
    if (!packet.dts) fits &= exact_.add(ExactKind::kNoDts, index);
    for (const auto& side : packet.side_data) fits &= exact_.add_side_data(index, side.id, side.bytes);
    if (packet.flags & ~(packet_flags::kKey | packet_flags::kDisposable)) {
      fits &= exact_.add_u32(ExactKind::kFlags, index, packet.flags);
    }
    if (!fits)
      return fail(ErrorCode::kTooLarge, "track {}: over 65535 exact entries in one fragment", track_.id);
    rows_.push_back(row);
    return {};
  }

  void write_moof(ByteWriter& out) {
    OpenBox moof(out, "moof");
    {
      OpenBox mfhd(out, "mfhd");
      full_box(out, 0, 0);
      out.u32(sequence_);
    }
    write_traf(out);
    exact_.write(out);
  }

  void write_traf(ByteWriter& out) {
    auto same = [&](auto member) {
      return std::ranges::all_of(rows_,
                                 [&](const SampleRow& row) { return row.*member == rows_.front().*member; });
    };
    bool one_duration = same(&SampleRow::duration);
    bool one_offset = same(&SampleRow::composition_offset) && rows_.front().composition_offset == 0;
    // The usual picture: a key frame and its dependants, so that only the first sample's flags differ.
    auto default_flags = rows_.back().flags;
    bool first_differs = rows_.front().flags != default_flags;
    bool each_flags = std::any_of(rows_.begin() + 1, rows_.end(),
                                  [&](const auto& row) { return row.flags != default_flags; });

    OpenBox traf(out, "traf");
    {
      OpenBox tfhd(out, "tfhd");
      full_box(out, 0, kDefaultBaseIsMoof | kDefaultFlags | (one_duration ? kDefaultDuration : 0));
      out.u32(static_cast<std::uint32_t>(track_.id));
      if (one_duration) out.u32(rows_.front().duration);
      out.u32(default_flags);
    }
    {
      OpenBox tfdt(out, "tfdt");
      full_box(out, 1, 0);
      out.u64(static_cast<std::uint64_t>(run_.packets.front().time));
    }
    OpenBox trun(out, "trun");
    full_box(out, 1,
             kDataOffset | kSampleSize | (one_duration ? 0 : kSampleDuration) |
                 (each_flags ? kSampleFlags : (first_differs ? kFirstSampleFlags : 0)) |
                 (one_offset ? 0 : kSampleCompositionOffset));
    out.u32(static_cast<std::uint32_t>(rows_.size()));
    data_offset_at_ = out.size();
    out.u32(0);
    if (!each_flags && first_differs) out.u32(rows_.front().flags);
    for (const auto& row : rows_) {
      if (!one_duration) out.u32(row.duration);
      out.u32(row.size);
      if (each_flags) out.u32(row.flags);
      if (!one_offset) out.s32(row.composition_offset);
    }
  }

  // `slab` gathers small payloads until a large one, which is shared, comes.
  BufferChain with_payload(ByteWriter slab) const {
    BufferChain chain;
    for (const auto& timed : run_.packets) {
      if (timed.packet.data.size() <= kShareAbove) {
        slab.raw(timed.packet.data.bytes());
        continue;
      }
      if (slab.size() > 0) chain.append(Buffer::take(slab.take()));
      slab = ByteWriter();
      chain.append(timed.packet.data);
    }
    if (slab.size() > 0) chain.append(Buffer::take(slab.take()));
    return chain;
  }

  const Run& run_;
  const Track& track_;
  std::uint32_t sequence_;
  std::int64_t num_;
  ExactBoxWriter exact_;
  std::vector<SampleRow> rows_;
  std::uint64_t payload_bytes_ = 0;
  std::size_t data_offset_at_ = 0;
};

}  // namespace

Result<BufferChain> write_fragment(const Run& run, const Track& track, std::uint32_t sequence) {
  if (run.packets.empty()) return fail(ErrorCode::kInvalidArgument, "a fragment without samples");
  return FragmentWriter(run, track, sequence).write();
}

}  // namespace gopline::media
