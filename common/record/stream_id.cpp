#include "common/record/stream_id.h"

#include "common/base/text.h"

namespace gopline::record {
namespace {

constexpr std::string_view kSourcePrefix = "/gopline/";

// `id` is valid UTF-8: C1 controls are 0xC2 0x80..0x9F there.
bool has_control_character(std::string_view id) {
  for (std::size_t i = 0; i < id.size(); ++i) {
    auto byte = static_cast<unsigned char>(id[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && static_cast<unsigned char>(id[i + 1]) < 0xA0) return true;
  }
  return false;
}

}  // namespace

Result<void> check_stream_id(std::string_view id) {
  if (id.empty()) return fail(ErrorCode::kInvalidArgument, "a stream id is empty; give one with --stream");
  if (id.size() > kMaxStreamIdBytes) {
    return fail(ErrorCode::kInvalidArgument, "the stream id '{}...' has {} bytes; at most {} are allowed",
                percent_encode(id.substr(0, 32)), id.size(), kMaxStreamIdBytes);
  }
  if (!is_valid_utf8(id)) {
    return fail(ErrorCode::kInvalidArgument, "the stream id '{}' is not UTF-8; give one with --stream",
                percent_encode(id));
  }
  if (has_control_character(id)) {
    return fail(ErrorCode::kInvalidArgument, "the stream id '{}' has control characters", percent_encode(id));
  }
  return {};
}

std::string source_of_stream(std::string_view id) {
  return std::string(kSourcePrefix) + percent_encode(id);
}

Result<std::string> stream_of_source(std::string_view source) {
  if (!source.starts_with(kSourcePrefix)) {
    return fail(ErrorCode::kCorrupt, "ce_source '{}' does not begin with {}", source, kSourcePrefix);
  }
  return percent_decode(source.substr(kSourcePrefix.size()));
}

}  // namespace gopline::record
