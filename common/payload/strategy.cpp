#include "common/payload/strategy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"

namespace gopline::payload {
namespace {

constexpr std::array<std::pair<Strategy, std::string_view>, 4> kStrategyNames{{{Strategy::kAuto, "auto"},
                                                                               {Strategy::kInline, "inline"},
                                                                               {Strategy::kChunk, "chunk"},
                                                                               {Strategy::kClaim, "claim"}}};

// A claim check arrives later than chunks and costs twice the CPU (docs/benchmarks.md). What it saves is the
// brokers' disks and network: worth it where a payload is many chunks.
constexpr std::uint64_t kDefaultClaimBytes = 64 << 20;

Choice inline_choice(std::uint64_t size, std::string reason) {
  return {Strategy::kInline, size, std::move(reason)};
}

Choice chunk_choice(const Limits& limits, const StrategySettings& settings, std::string reason) {
  return {Strategy::kChunk, std::max<std::uint64_t>(1, std::min(settings.chunk_bytes, limits.record_bytes)),
          std::move(reason)};
}

Choice automatic(std::uint64_t size, const Limits& limits, const StrategySettings& settings) {
  auto bytes = format_bytes(size);
  auto claim = settings.claim_bytes.value_or(kDefaultClaimBytes);
  if (limits.has_store && size >= claim) {
    return {Strategy::kClaim, size,
            fmt::format("{} are at least the {} from which payloads go to the store", bytes,
                        format_bytes(claim))};
  }
  auto comfortable = settings.inline_bytes.value_or(limits.inline_bytes);
  if (size <= std::min(comfortable, limits.record_bytes)) {
    return inline_choice(size, fmt::format("{} fit into one record ({})", bytes,
                                           format_bytes(std::min(comfortable, limits.record_bytes))));
  }
  if (size > limits.record_bytes) {
    return chunk_choice(
        limits, settings,
        fmt::format("{} are more than the {} that a record takes", bytes, format_bytes(limits.record_bytes)));
  }
  return chunk_choice(limits, settings,
                      fmt::format("{} in one record would hold up what is behind it: more than {}", bytes,
                                  format_bytes(comfortable)));
}

}  // namespace

std::string_view to_string(Strategy strategy) {
  for (const auto& [value, name] : kStrategyNames) {
    if (value == strategy) return name;
  }
  return "?";
}

Result<Strategy> strategy_from(std::string_view text) {
  for (const auto& [value, name] : kStrategyNames) {
    if (name == text) return value;
  }
  return fail(ErrorCode::kInvalidArgument, "'{}' is none of auto, inline, chunk and claim", text);
}

Result<Choice> choose(std::uint64_t size, const Limits& limits, const StrategySettings& settings) {
  switch (settings.strategy) {
    case Strategy::kInline:
      if (size > limits.record_bytes) {
        return fail(ErrorCode::kTooLarge,
                    "a payload of {} does not fit into one record of at most {}; raise the topic's "
                    "max.message.bytes or use --payload chunk",
                    format_bytes(size), format_bytes(limits.record_bytes));
      }
      return inline_choice(size, "as asked for");
    case Strategy::kChunk:
      return chunk_choice(limits, settings, "as asked for");
    case Strategy::kClaim:
      if (!limits.has_store) {
        return fail(ErrorCode::kInvalidArgument,
                    "--payload claim needs a place for the payloads: add --blobs DIR or --blobs "
                    "s3://BUCKET/PREFIX");
      }
      return Choice{Strategy::kClaim, size, "as asked for"};
    case Strategy::kAuto:
      break;
  }
  return automatic(size, limits, settings);
}

}  // namespace gopline::payload
