#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

// How a payload travels: whole in one record, as chunks in several, or beside the log with only a reference
// in it. Readers take all three, in any order.
namespace gopline::payload {

enum class Strategy { kAuto, kInline, kChunk, kClaim };

std::string_view to_string(Strategy strategy);  // as --payload spells it
Result<Strategy> strategy_from(std::string_view text);

struct StrategySettings {
  Strategy strategy = Strategy::kAuto;
  // A chunk's value, where a payload is chunked; never more than a record takes.
  std::uint64_t chunk_bytes = 2 << 20;
  // What `auto` does by size. nullopt: as the log says (Limits).
  std::optional<std::uint64_t> inline_bytes;  // up to this in one record
  std::optional<std::uint64_t> claim_bytes;   // from this on a claim check, if there is a store
};

// What the log and the configuration allow.
struct Limits {
  std::uint64_t record_bytes = 0;  // of a value that one record takes beside this payload's headers
  // Up to here one record serves better than several: where many share the way to a log and large records
  // hold up the others.
  std::uint64_t inline_bytes = UINT64_MAX;
  bool has_store = false;
};

struct Choice {
  Strategy strategy = Strategy::kInline;  // never kAuto
  std::uint64_t chunk_bytes = 0;          // of each record; the payload's size when it goes in one
  std::string reason;                     // for people: "9.1 MB are more than the 4.0 MB that ..."
};

// The strategy for a payload of `size` bytes: the one asked for, else inline while it is small, a claim check
// where it is large and there is a store, chunks between. kTooLarge where inline was asked for and does not
// fit; kInvalidArgument where a claim check was asked for and there is no store.
Result<Choice> choose(std::uint64_t size, const Limits& limits, const StrategySettings& settings);

}  // namespace gopline::payload
