#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace gopline::payload {

// Where a blob lies in its store: NAMESPACE/STREAM/HOUR/SHA256, the stream percent-encoded. The content names
// it, so that a second upload of the same finds the first; stream and hour keep what expires together in one
// place (docs/record-format.md, section 3.2).
struct BlobKey {
  std::string topic_namespace;
  std::string stream;
  std::string hour;    // of capture time: 2026-11-22T18
  std::string sha256;  // of the bytes
  bool operator==(const BlobKey&) const = default;
};

std::string to_text(const BlobKey& key);

// A path as URIs have it: every part percent-encoded, the slashes kept.
std::string encode_path(std::string_view path);

// nullopt for a key that is not one of ours: a foreign file in the store.
std::optional<BlobKey> parse_blob_key(std::string_view text);

}  // namespace gopline::payload
