#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"
#include "common/payload/blob_store.h"

// What a store and a log say of each other.
namespace gopline::cli {

// A log's namespaces: of video and of files.
using Namespaces = std::vector<std::string>;

struct BlobSum {
  std::int64_t blobs = 0;
  std::uint64_t bytes = 0;
  void add(std::uint64_t size) {
    ++blobs;
    bytes += size;
  }
};

// What becomes of a store's blobs.
struct CollectReport {
  BlobSum referenced;                      // a record of the log stands for them
  BlobSum young;                           // no record does, and one may still be on its way
  BlobSum foreign;                         // not ours by their names: left alone
  std::vector<payload::BlobInfo> orphans;  // nobody refers to them, and nobody will
  BlobSum removed;                         // of those
  std::int64_t unfinished = 0;             // puts that never came to their end
};

struct CollectOptions {
  Duration grace = std::chrono::hours(24);  // how long a blob waits for its record
  bool remove = false;                      // else only told
};

// Finds the blobs of these namespaces that no record refers to any more, because retention took it or because
// its writer died before it was written, and removes them. First the store is listed, then the log is read:
// so a reference written meanwhile is to a blob younger than the grace, or to one that its writer found
// present and touched, and each orphan's age is looked at once more before it goes.
Result<CollectReport> collect_blobs(Log& log, payload::BlobStore& store, const Namespaces& namespaces,
                                    const CollectOptions& options, const Clock& clock, const StopToken& stop);

// A payload that is not what its record says.
struct BadClaim {
  std::string stream;
  std::string uri;
  EpochNumber epoch;
  SegmentNumber segment;
  bool missing = false;  // else altered
  std::string message;
};

struct ClaimsReport {
  BlobSum whole;
  std::vector<BadClaim> bad;
};

// Reads every payload that a claim check of these namespaces stands for, and holds it to its hash.
Result<ClaimsReport> verify_claims(Log& log, payload::BlobSource& blobs, const Namespaces& namespaces,
                                   const std::function<void(std::uint64_t bytes)>& progress,
                                   const StopToken& stop);

// Blobs by stream, in the order of their names.
struct StreamBlobs {
  std::string topic_namespace, stream;
  BlobSum sum;
  std::string first_hour, last_hour;
};
struct BlobList {
  std::vector<StreamBlobs> streams;
  std::vector<payload::BlobInfo> foreign;  // files that are not ours
};
Result<BlobList> list_blobs(payload::BlobStore& store, const StopToken& stop);

}  // namespace gopline::cli
