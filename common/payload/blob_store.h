#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer_chain.h"

// The port to where payloads lie that are not in their records (EIP: Claim Check). The definition in code is
// blob_store_contract.h.
namespace gopline::payload {

// What a store knows of a blob without reading it.
struct BlobInfo {
  std::string key;  // within the store: blob_key.h
  std::uint64_t size = 0;
  Timestamp modified;  // by the store's clock: when it was put, or found present by a later put()
};

struct PutBlob {
  std::string uri;           // what a record names it by: ce_dataref
  bool was_present = false;  // nothing was sent: a blob of that key and size was there
};

// `size` bytes from `offset`. They must lie inside the blob.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Blobs under keys that name their content, so that one is written once and never changed. Thread-safe; calls
// block, and several at once are the way to parallel transfers.
//
// Errors name the URI. kUnavailable: what may pass was tried again until the store's patience ended.
// kPermissionDenied, kNotFound, kOutOfSpace, kInvalidArgument: told at once. kCancelled once `stop` is
// requested. No message and no log line holds a secret.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // The blob is durable on return. One that is there already is left as it is and its age begins anew, so
  // that a collector running at the same time leaves it alone. Nothing of a put that fails is ever seen by
  // get() or list(); it may hold space until collect_unfinished().
  virtual Result<PutBlob> put(const std::string& key, const BufferChain& bytes, StopToken stop) = 0;

  // The bytes of a range, in one allocation. kNotFound when there is no such blob; kCorrupt when it ends
  // before the range does.
  virtual Result<Buffer> get(const std::string& key, ByteRange range, StopToken stop) = 0;

  virtual Result<BlobInfo> stat(const std::string& key, StopToken stop) = 0;  // kNotFound

  // Every blob whose key begins with `prefix`, in order of keys, until `each` answers false. Foreign files
  // under other names are told as well: what they are is the caller's to judge.
  virtual Result<void> list(const std::string& prefix, const std::function<bool(const BlobInfo&)>& each,
                            StopToken stop) = 0;

  // Removing what is not there is no error.
  virtual Result<void> remove(const std::string& key, StopToken stop) = 0;

  // What unfinished puts older than `before` left behind (temporary files, parts of multipart uploads):
  // how many were removed, or with `dry_run` would be.
  virtual Result<std::int64_t> collect_unfinished(Timestamp before, bool dry_run, StopToken stop) = 0;

  // A URL by which anybody may GET the blob for that long, without us. kUnsupported where the store has none.
  virtual Result<std::string> presign(const std::string& key, Duration valid_for) = 0;

  // ce_dataref of a key, and back. kInvalidArgument when the URI is not of this store.
  virtual std::string uri_of(const std::string& key) const = 0;
  virtual Result<std::string> key_of(const std::string& uri) const = 0;

  virtual std::string describe() const = 0;  // the URL it was opened by, without secrets
};

}  // namespace gopline::payload
