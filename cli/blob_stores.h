#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cli/options.h"
#include "common/payload/blob_source.h"

// The one place that knows which kinds of blob store there are.
namespace gopline::cli {

// The stores of a run: the one that --blobs names, and those that claim checks lead to. Each is opened once.
// Thread-safe.
class BlobStores final : public payload::BlobSource {
 public:
  explicit BlobStores(BlobOptions options) : options_(std::move(options)) {}

  // The store that --blobs names, made where it is missing; nullptr: it names none.
  Result<std::shared_ptr<payload::BlobStore>> for_writing();

  // The same, and nothing is made.
  Result<std::shared_ptr<payload::BlobStore>> for_reading();

  // The store that --blobs names, if the URI is of it; else the one that the URI is of.
  Result<std::shared_ptr<payload::BlobStore>> store_of(const std::string& uri) override;

 private:
  Result<std::shared_ptr<payload::BlobStore>> open(const std::string& url, bool create);

  const BlobOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<payload::BlobStore>> opened_;  // by URL
};

}  // namespace gopline::cli
