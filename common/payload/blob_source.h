#pragma once
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/payload/blob_store.h"

namespace gopline::payload {

// Finds the store in which a reference's payload lies. Thread-safe.
class BlobSource {
 public:
  virtual ~BlobSource() = default;

  // The store of a ce_dataref. kUnsupported for a kind of URI that this program cannot read, else what
  // opening the store says.
  virtual Result<std::shared_ptr<BlobStore>> store_of(const std::string& uri) = 0;
};

}  // namespace gopline::payload
