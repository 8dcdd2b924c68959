#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/payload/blob_store.h"
#include "common/payload/s3/s3_settings.h"

namespace gopline::payload {

// What tests replace.
struct S3StoreParts {
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
  std::function<double()> random;  // in [0, 1), from any thread; empty: a generator of its own
};

// Blobs as objects of a bucket, under PREFIX/KEY; URIs are s3://BUCKET/PREFIX/KEY, percent-encoded. Transfers
// run on the calling thread, several at once within one call. Nothing is sent before the first call, so a
// store that is away is noticed then.
//
// put() asks whether the object is there, and sends it with If-None-Match, so that two writers of the same
// never meet; above a size in parts. get() of more than range_size reads ranges side by side.
std::unique_ptr<BlobStore> open_s3_store(S3Settings settings, S3StoreParts parts = {});

// The same with the settings of read_s3_settings().
Result<std::unique_ptr<BlobStore>> open_s3_store(const std::string& url,
                                                 const std::optional<std::filesystem::path>& config_file,
                                                 const Environment& environment = process_environment());

}  // namespace gopline::payload
