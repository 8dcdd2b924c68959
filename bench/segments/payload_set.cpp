#include "bench/segments/payload_set.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "common/bytes/big_endian.h"

namespace gopline::bench {
namespace {

constexpr std::size_t kMostRandom = 64;
constexpr std::size_t kCompared = 64;  // at the beginning; the hash answers for the rest

Buffer random_bytes(std::size_t count) {
  std::mt19937_64 generator(std::random_device{}());
  std::vector<std::uint8_t> bytes(count + sizeof(std::uint64_t));
  for (std::size_t i = 0; i < count; i += sizeof(std::uint64_t)) {
    auto word = generator();
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  bytes.resize(count);
  return Buffer::take(std::move(bytes));
}

Buffer box_of(const Mark& mark) {
  ByteWriter box;
  box.u32(static_cast<std::uint32_t>(PayloadSet::kMarkBytes));
  box.text("free");
  box.u64(mark.run);
  box.u32(0);
  box.s32(mark.stream);
  box.s64(mark.sequence);
  return Buffer::take(box.take());
}

bool begins_alike(std::span<const std::uint8_t> bytes, const Buffer& expected, std::size_t most) {
  auto count = std::min({kCompared, most, bytes.size(), expected.size()});
  return std::memcmp(bytes.data(), expected.data(), count) == 0;
}

}  // namespace

std::shared_ptr<const PayloadSet> PayloadSet::random(std::uint64_t bytes) {
  constexpr std::size_t kStep = 4096;
  auto set = std::make_shared<PayloadSet>();
  auto size = static_cast<std::size_t>(bytes);
  auto memory = random_bytes(size + kMostRandom * kStep);
  set->held_bytes_ = memory.size();
  for (std::size_t i = 0; i < kMostRandom; ++i) {
    Item item;
    item.plain = memory.share(i * kStep, size);
    item.segment.bytes.append(item.plain.share(0, size - std::min(size, kMarkBytes)));
    item.segment.content_type = "application/octet-stream";
    set->items_.push_back(std::move(item));
  }
  set->epoch_.source.name = "random bytes";
  set->epoch_.content_type = "application/octet-stream";
  return set;
}

media::BuiltSegment PayloadSet::segment(const Mark& mark) const {
  auto out = item(mark.sequence).segment;
  out.bytes.append(box_of(mark));
  return out;
}

const Buffer& PayloadSet::plain(std::int64_t sequence) const {
  return item(sequence).plain;
}

bool PayloadSet::is_segment(const BufferChain& bytes, const Mark& mark) const {
  const auto& expected = item(mark.sequence);
  if (bytes.size() != expected.segment.bytes.size() + kMarkBytes) return false;
  if (bytes.share(bytes.size() - kMarkBytes, kMarkBytes).flatten() != box_of(mark)) return false;
  return begins_alike(bytes.buffers().front().bytes(), expected.plain, expected.segment.bytes.size());
}

bool PayloadSet::is_plain(std::span<const std::uint8_t> bytes, std::int64_t sequence) const {
  const auto& expected = plain(sequence);
  return bytes.size() == expected.size() && begins_alike(bytes, expected, expected.size());
}

std::uint64_t PayloadSet::mean_bytes() const {
  auto sum = std::accumulate(items_.begin(), items_.end(), std::uint64_t{0},
                             [](auto total, const auto& item) { return total + item.plain.size(); });
  return sum / std::max<std::size_t>(1, items_.size());
}

std::uint64_t PayloadSet::largest_bytes() const {
  std::uint64_t largest = 0;
  for (const auto& item : items_) largest = std::max<std::uint64_t>(largest, item.plain.size());
  return largest;
}

}  // namespace gopline::bench
