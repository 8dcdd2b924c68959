// The chunk assembler under sequences of chunks that are whole, altered, repeated, missing, of any epoch:
// memory stays bounded, and no segment is told twice or with bytes that were not sent.
#include <cstdlib>
#include <map>
#include <set>

#include "common/bytes/big_endian.h"
#include "common/bytes/digest.h"
#include "common/record/chunk_assembler.h"

using namespace gopline;
using namespace gopline::record;

namespace {

constexpr std::size_t kMaxBytes = 20'000;

// Four bytes say one chunk: which, of how many, and what is wrong with it.
SegmentHeaders chunk_of(ByteReader& in, std::string& value) {
  auto where = in.u8(), which = in.u8(), fault = in.u8(), fill = in.u8();
  SegmentHeaders h;
  h.stream = where & 1 ? "a" : "b";
  h.writer = "w";
  h.epoch = EpochNumber(where >> 1 & 7);
  h.segment = SegmentNumber(which & 15);
  h.chunk = which >> 4 & 3;
  h.last_chunk = h.chunk == 2 || (fault & 1);
  h.late = fault & 2;
  value.assign(fill, static_cast<char>('a' + h.chunk));
  h.xxh3 = xxh3_hex(std::span(reinterpret_cast<const std::uint8_t*>(value.data()), value.size()));
  if (fault & 4) h.xxh3 = std::string(16, '0');
  if (h.last_chunk) {
    h.size = static_cast<std::uint64_t>(fill) * static_cast<std::uint64_t>(h.chunk + 1);
    h.duration = Rational{1, 1};
  }
  return h;
}

struct Checker {
  using Id = std::tuple<std::string, std::int64_t, std::int64_t>;
  std::set<Id> told;
  std::map<Id, std::int64_t> open;  // chunks told of a segment that is not whole

  void check(const std::vector<AssemblerEvent>& events) {
    for (const auto& event : events) {
      if (auto* s = std::get_if<AssembledSegment>(&event)) {
        once(s->headers);
        if (s->bytes.size() != s->headers.size) std::abort();
      } else if (auto* l = std::get_if<LostSegment>(&event)) {
        once(l->headers);
      } else if (auto* c = std::get_if<OpenChunk>(&event)) {
        if (told.contains(id(c->headers)) || open[id(c->headers)]++ != c->headers.chunk) std::abort();
      }
    }
  }
  static Id id(const SegmentHeaders& h) { return {h.stream, h.epoch.value, h.segment.value}; }
  void once(const SegmentHeaders& h) {
    if (!told.insert(id(h)).second) std::abort();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in(std::span(data, size));
  AssemblerOptions options;
  options.max_bytes = kMaxBytes;
  options.tells_chunks = true;
  ChunkAssembler assembler(options);
  Checker checker;
  SteadyTime now{};
  for (std::int64_t offset = 0; in.left() >= 4; ++offset) {
    std::string value;
    auto h = chunk_of(in, value);
    auto headers = encode(h);
    checker.check(assembler.add({Offset(offset), {}, h.stream, &headers, Buffer::copy(value), {}}, now));
    if (assembler.pending_bytes() > kMaxBytes) std::abort();
    now += std::chrono::seconds(value.size() % 7);
    if (value.size() % 5 == 0) checker.check(assembler.expire(now));
  }
  checker.check(assembler.give_up_all());
  if (assembler.pending_bytes() != 0 || assembler.oldest_pending()) std::abort();
  return 0;
}
