#pragma once
#include "common/payload/blob_source.h"

// For tests of streams whose payloads all lie in the log.
namespace gopline::server {

struct NoBlobs final : payload::BlobSource {
  Result<std::shared_ptr<payload::BlobStore>> store_of(const std::string& uri) override {
    return fail(ErrorCode::kUnsupported, "{}: no store", uri);
  }
};

}  // namespace gopline::server
