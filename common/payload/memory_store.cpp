#include "common/payload/memory_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/payload/blob_key.h"

namespace gopline::payload {

using Operation = MemoryBlobs::Operation;

void MemoryBlobs::fail_next(Operation operation, int count, Error error) {
  std::lock_guard lock(mutex_);
  lever(operation).failures = count;
  lever(operation).error = std::move(error);
}

void MemoryBlobs::hold(Operation operation) {
  std::lock_guard lock(mutex_);
  lever(operation).holds = true;
}

void MemoryBlobs::release(Operation operation) {
  std::lock_guard lock(mutex_);
  lever(operation).holds = false;
  lever(operation).let_through = 0;
  changed_.notify_all();
}

void MemoryBlobs::release_one(Operation operation) {
  std::lock_guard lock(mutex_);
  ++lever(operation).let_through;
  changed_.notify_all();
}

void MemoryBlobs::await_held(Operation operation, int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return lever(operation).held >= count; });
}

int MemoryBlobs::calls(Operation operation) const {
  std::lock_guard lock(mutex_);
  return lever(operation).calls;
}

int MemoryBlobs::most_at_once(Operation operation) const {
  std::lock_guard lock(mutex_);
  return lever(operation).most_at_once;
}

void MemoryBlobs::set_modified(const std::string& key, Timestamp time) {
  std::lock_guard lock(mutex_);
  blobs_.at(key).modified = time;
}

void MemoryBlobs::cut(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto& bytes = blobs_.at(key).bytes;
  bytes = bytes.share(0, bytes.size() - 1);
}

void MemoryBlobs::flip(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto& bytes = blobs_.at(key).bytes;
  std::vector<std::uint8_t> changed(bytes.bytes().begin(), bytes.bytes().end());
  changed.at(0) ^= 1;
  bytes = Buffer::take(std::move(changed));
}

Result<void> MemoryBlobs::enter(std::unique_lock<std::mutex>& lock, Operation operation,
                                const std::string& uri, const StopToken& stop) {
  auto& own = lever(operation);
  ++own.calls;
  own.most_at_once = std::max(own.most_at_once, ++own.running);
  if (own.holds && !stop.stop_requested()) {
    ++own.held;
    changed_.notify_all();
    changed_.wait(lock, stop, [&] { return !own.holds || own.let_through > 0; });
    --own.held;
    if (own.holds && own.let_through > 0) --own.let_through;
  }
  --own.running;
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", uri);
  if (own.failures > 0) {
    --own.failures;
    return fail(own.error.code, "{}: {}", uri, own.error.message);
  }
  return {};
}

class MemoryStore final : public BlobStore {
 public:
  MemoryStore(std::shared_ptr<MemoryBlobs> blobs, const std::string& name)
      : blobs_(std::move(blobs)), base_("memory://" + name + "/") {}

  Result<PutBlob> put(const std::string& key, const BufferChain& bytes, StopToken stop) override {
    auto uri = uri_of(key);
    std::unique_lock lock(blobs_->mutex_);
    GOPLINE_TRY(blobs_->enter(lock, Operation::kPut, uri, stop));
    auto& blob = blobs_->blobs_[key];
    bool present = blob.modified != Timestamp() && blob.bytes.size() == bytes.size();
    if (!present) blob.bytes = BufferChain(bytes).flatten();
    blob.modified = blobs_->clock_->now();
    return PutBlob{std::move(uri), present};
  }

  Result<Buffer> get(const std::string& key, ByteRange range, StopToken stop) override {
    std::unique_lock lock(blobs_->mutex_);
    GOPLINE_TRY(blobs_->enter(lock, Operation::kGet, uri_of(key), stop));
    auto found = blobs_->blobs_.find(key);
    if (found == blobs_->blobs_.end()) return missing(key);
    const auto& bytes = found->second.bytes;
    if (range.offset > bytes.size() || range.size > bytes.size() - range.offset) {
      return fail(ErrorCode::kCorrupt, "{}: ends after {} bytes, but {} from {} are asked for", uri_of(key),
                  bytes.size(), range.size, range.offset);
    }
    return bytes.share(range.offset, range.size);
  }

  Result<BlobInfo> stat(const std::string& key, StopToken stop) override {
    std::unique_lock lock(blobs_->mutex_);
    GOPLINE_TRY(blobs_->enter(lock, Operation::kStat, uri_of(key), stop));
    auto found = blobs_->blobs_.find(key);
    if (found == blobs_->blobs_.end()) return missing(key);
    return BlobInfo{key, found->second.bytes.size(), found->second.modified};
  }

  Result<void> list(const std::string& prefix, const std::function<bool(const BlobInfo&)>& each,
                    StopToken stop) override {
    std::vector<BlobInfo> found;
    {
      std::unique_lock lock(blobs_->mutex_);
      GOPLINE_TRY(blobs_->enter(lock, Operation::kList, uri_of(prefix), stop));
      for (auto it = blobs_->blobs_.lower_bound(prefix);
           it != blobs_->blobs_.end() && it->first.starts_with(prefix); ++it) {
        found.push_back({it->first, it->second.bytes.size(), it->second.modified});
      }
    }
    for (const auto& blob : found) {  // `each` may call the store
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", describe());
      if (!each(blob)) break;
    }
    return {};
  }

  Result<void> remove(const std::string& key, StopToken stop) override {
    std::unique_lock lock(blobs_->mutex_);
    GOPLINE_TRY(blobs_->enter(lock, Operation::kRemove, uri_of(key), stop));
    blobs_->blobs_.erase(key);
    return {};
  }

  Result<std::int64_t> collect_unfinished(Timestamp, bool, StopToken) override { return 0; }

  Result<std::string> presign(const std::string& key, Duration) override {
    return fail(ErrorCode::kUnsupported, "{}: memory has no URLs that others could fetch", uri_of(key));
  }

  std::string uri_of(const std::string& key) const override { return base_ + encode_path(key); }

  Result<std::string> key_of(const std::string& uri) const override {
    if (!uri.starts_with(base_)) {
      return fail(ErrorCode::kInvalidArgument, "'{}' is not in {}", uri, describe());
    }
    return percent_decode(uri.substr(base_.size()));
  }

  std::string describe() const override { return base_; }

 private:
  tl::unexpected<Error> missing(const std::string& key) const {
    return fail(ErrorCode::kNotFound, "{}: there is no such blob", uri_of(key));
  }

  const std::shared_ptr<MemoryBlobs> blobs_;
  const std::string base_;
};

std::unique_ptr<BlobStore> open_memory_store(std::shared_ptr<MemoryBlobs> blobs, std::string name) {
  return std::make_unique<MemoryStore>(std::move(blobs), name);
}

}  // namespace gopline::payload
