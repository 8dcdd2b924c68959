#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer_chain.h"
#include "common/payload/blob_source.h"
#include "common/payload/prefetcher.h"
#include "common/record/segment_headers.h"

namespace gopline::reading {

// Redeems claim checks: the bytes that they stand for, held to their size and hash. What will be asked for
// next is fetched ahead, within a bound in bytes. Not thread-safe.
class ClaimFetcher {
 public:
  ClaimFetcher(payload::BlobSource& blobs, StopToken stop) : blobs_(blobs), stop_(std::move(stop)) {}

  // Begins to fetch a payload that fetch() will be asked for, behind those announced before. One that is
  // announced and then not asked for costs what was fetched of it.
  void announce(const std::string& uri, std::uint64_t size);
  std::size_t announced() const { return announced_.size(); }

  // The payloads of one segment in a row. Errors name the URI: kNotFound when a payload is gone, kCorrupt
  // when it is not what the record says; any other means that it could not be read now.
  Result<BufferChain> fetch(const std::vector<record::DataRef>& references);

 private:
  struct Announced {
    std::string uri;
    std::uint64_t size = 0;
  };
  Result<Buffer> fetch_one(const record::DataRef& reference);

  payload::BlobSource& blobs_;
  StopToken stop_;
  std::deque<Announced> announced_;  // what the prefetcher will hand out
  std::unique_ptr<payload::Prefetcher> prefetcher_;
};

}  // namespace gopline::reading
