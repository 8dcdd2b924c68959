#pragma once
#include <memory>
#include <string>

#include "bench/segments/path.h"
#include "bench/segments/plan.h"
#include "common/log/log.h"
#include "common/payload/blob_store.h"

namespace gopline::bench {

struct GoplinePathOptions {
  std::string topic_namespace;
  std::int32_t partitions = 1;
  std::vector<std::string> streams;
  Strategy strategy;
  std::shared_ptr<const PayloadSet> payloads;
  payload::BlobStore* blobs = nullptr;
  StopToken stop;
};

// Our own: a Publisher for every stream as `gopline split` has it, and one reader that puts the records
// together again, verifies every hash and redeems claim checks ahead of their turn. The topics exist. `log`
// and `clock` outlive it.
std::unique_ptr<Path> make_gopline_path(Log& log, const Clock& clock, GoplinePathOptions options);

}  // namespace gopline::bench
