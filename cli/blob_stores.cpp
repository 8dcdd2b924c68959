#include "cli/blob_stores.h"

#include "common/base/text.h"
#include "common/payload/directory/directory_store.h"
#include "common/payload/s3/s3_store.h"

namespace gopline::cli {
namespace {

constexpr std::string_view kS3 = "s3://";
constexpr std::string_view kFile = "file://";

// A store's URL from that of a blob in it: without NAMESPACE/STREAM/HOUR/SHA256.
Result<std::string> root_of(const std::string& uri) {
  auto end = uri.size();
  for (int part = 0; part < 4 && end != std::string::npos && end > 0; ++part) end = uri.rfind('/', end - 1);
  if (end == std::string::npos || end < std::string_view("s3://").size()) {
    return fail(ErrorCode::kCorrupt, "'{}' does not name a payload", uri);
  }
  return uri.substr(0, end);
}

}  // namespace

Result<std::shared_ptr<payload::BlobStore>> BlobStores::for_writing() {
  if (options_.url.empty()) return nullptr;
  return open(options_.url, true);
}

Result<std::shared_ptr<payload::BlobStore>> BlobStores::for_reading() {
  if (options_.url.empty()) return nullptr;
  return open(options_.url, false);
}

Result<std::shared_ptr<payload::BlobStore>> BlobStores::store_of(const std::string& uri) {
  if (!options_.url.empty()) {
    GOPLINE_ASSIGN(auto named, open(options_.url, false));
    if (named->key_of(uri)) return named;
  }
  if (!uri.starts_with(kFile) && !uri.starts_with(kS3)) {
    return fail(ErrorCode::kUnsupported, "'{}': this version reads payloads from file:// and s3:// only",
                uri);
  }
  GOPLINE_ASSIGN(auto root, root_of(uri));
  return open(root, false);
}

Result<std::shared_ptr<payload::BlobStore>> BlobStores::open(const std::string& url, bool create) {
  std::lock_guard lock(mutex_);
  auto& store = opened_[url];
  if (store) return store;
  if (url.starts_with(kS3)) {
    std::optional<std::filesystem::path> config;
    if (!options_.s3_config.empty()) config = options_.s3_config;
    GOPLINE_ASSIGN(store, payload::open_s3_store(url, config));
    return store;
  }
  std::string folder = url;
  if (url.starts_with(kFile)) {
    GOPLINE_ASSIGN(folder, percent_decode(url.substr(kFile.size())));
  } else if (url.find("://") != std::string::npos) {
    return fail(ErrorCode::kUnsupported, "--blobs {}: give a folder or s3://BUCKET/PREFIX",
                without_secrets(url));
  }
  GOPLINE_ASSIGN(store, payload::open_directory_store(folder, create));
  return store;
}

}  // namespace gopline::cli
