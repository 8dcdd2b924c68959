#include "common/payload/blob_key.h"

#include <algorithm>
#include <vector>

#include "common/base/text.h"

namespace gopline::payload {
namespace {

constexpr std::size_t kHourSize = 13;  // 2026-11-22T18
constexpr std::size_t kSha256Size = 64;

// The form of an hour; whether it is one of a calendar does not matter to where a blob lies.
bool is_hour(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd";
  if (text.size() != kHourSize) return false;
  for (std::size_t i = 0; i < kHourSize; ++i) {
    bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'd' ? !digit : text[i] != kForm[i]) return false;
  }
  return true;
}

bool is_sha256(std::string_view text) {
  return text.size() == kSha256Size && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string to_text(const BlobKey& key) {
  return key.topic_namespace + '/' + percent_encode(key.stream) + '/' + key.hour + '/' + key.sha256;
}

std::string encode_path(std::string_view path) {
  std::string out;
  for (std::size_t begin = 0; begin <= path.size();) {
    auto end = std::min(path.find('/', begin), path.size());
    out += percent_encode(path.substr(begin, end - begin));
    if (end < path.size()) out += '/';
    begin = end + 1;
  }
  return out;
}

std::optional<BlobKey> parse_blob_key(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    auto end = std::min(text.find('/', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (parts.size() != 4 || parts[0].empty() || !is_hour(parts[2]) || !is_sha256(parts[3]))
    return std::nullopt;
  auto stream = percent_decode(parts[1]);
  if (!stream || stream->empty() || percent_encode(*stream) != parts[1]) return std::nullopt;
  return BlobKey{std::string(parts[0]), std::move(*stream), std::string(parts[2]), std::string(parts[3])};
}

}  // namespace gopline::payload
