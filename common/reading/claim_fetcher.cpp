#include "common/reading/claim_fetcher.h"

#include <algorithm>

#include "common/bytes/digest.h"

namespace gopline::reading {
namespace {

constexpr std::uint64_t kMostBytesAhead = 64 << 20;

}  // namespace

void ClaimFetcher::announce(const std::string& uri, std::uint64_t size) {
  auto store = blobs_.store_of(uri);
  if (!store) return;  // fetch() will say why
  auto key = (*store)->key_of(uri);
  if (!key) return;
  if (!prefetcher_) {
    prefetcher_ =
        std::make_unique<payload::Prefetcher>(payload::PrefetchSettings{.most_bytes = kMostBytesAhead});
  }
  prefetcher_->add({std::move(*store), std::move(*key), size});
  announced_.push_back({uri, size});
}

Result<Buffer> ClaimFetcher::fetch_one(const record::DataRef& reference) {
  auto is_wanted = [&](const Announced& a) { return a.uri == reference.uri && a.size == reference.size; };
  auto found = std::find_if(announced_.begin(), announced_.end(), is_wanted);
  if (found == announced_.end()) {
    GOPLINE_ASSIGN(auto store, blobs_.store_of(reference.uri));
    GOPLINE_ASSIGN(auto key, store->key_of(reference.uri));
    return store->get(key, {0, reference.size}, stop_);
  }
  // Those before it are not wanted any more: their segments were lost.
  for (auto passed_over = found - announced_.begin(); passed_over > 0; --passed_over) {
    (void)prefetcher_->next(stop_);
    announced_.pop_front();
  }
  auto bytes = prefetcher_->next(stop_);
  announced_.pop_front();
  return bytes;
}

Result<BufferChain> ClaimFetcher::fetch(const std::vector<record::DataRef>& references) {
  BufferChain all;
  for (const auto& reference : references) {
    GOPLINE_ASSIGN(auto bytes, fetch_one(reference));
    if (xxh3_hex(bytes.bytes()) != reference.xxh3) {
      return fail(ErrorCode::kCorrupt, "{}: its bytes do not have the hash in ce_dataxxh3", reference.uri);
    }
    all.append(std::move(bytes));
  }
  return all;
}

}  // namespace gopline::reading
