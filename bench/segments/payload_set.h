#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer_chain.h"
#include "common/media/segment.h"
#include "common/media/types.h"

namespace gopline::bench {

// Who sent a payload, and which of his it is.
struct Mark {
  std::uint64_t run = 0;  // differs from case to case
  std::int32_t stream = 0;
  std::int64_t sequence = 0;
  bool operator==(const Mark&) const = default;
};

// What a case sends: some payloads whose bytes are made beforehand, one after the other and round again. Each
// that is sent ends with its Mark in an ISO base media `free` box, which players pass over: no two are the
// same, so a store that knows contents by their hash has to take each. Thread-safe.
class PayloadSet {
 public:
  static constexpr std::size_t kMarkBytes = 32;

  // Incompressible bytes. Their memory is `bytes` and a little, whatever their number.
  static std::shared_ptr<const PayloadSet> random(std::uint64_t bytes);
  // The segments of a file cut at this duration, read round and round until there are enough to be fair:
  // up to `most_bytes` of memory, but three at least.
  static Result<std::shared_ptr<const PayloadSet>> video(const std::string& file, Duration segment_duration,
                                                         std::uint64_t most_bytes, StopToken stop);

  media::BuiltSegment segment(const Mark& mark) const;  // to be published
  const Buffer& plain(std::int64_t sequence) const;     // without a mark, and as large as with it

  // Whether these bytes, whose hash has been verified, are the payload of that mark: its size, its first
  // bytes, its mark.
  bool is_segment(const BufferChain& bytes, const Mark& mark) const;
  bool is_plain(std::span<const std::uint8_t> bytes, std::int64_t sequence) const;

  std::uint64_t mean_bytes() const;
  std::uint64_t largest_bytes() const;
  std::size_t count() const { return items_.size(); }
  std::uint64_t held_bytes() const { return held_bytes_; }

  // Of the epoch in which they are published.
  struct Epoch {
    media::SourceInfo source;
    std::vector<media::Track> tracks;
    std::string init_xxh3;
    std::string content_type;  // without tracks
  };
  const Epoch& epoch() const { return epoch_; }

 private:
  struct Item {
    media::BuiltSegment segment;  // without its mark
    Buffer plain;
  };
  const Item& item(std::int64_t sequence) const {
    return items_[static_cast<std::size_t>(sequence) % items_.size()];
  }

  std::vector<Item> items_;
  std::uint64_t held_bytes_ = 0;
  Epoch epoch_;
};

}  // namespace gopline::bench
