#include "aggregator/claim_fetcher.h"

#include "common/bytes/digest.h"

namespace gopline::aggregator {

Result<BufferChain> fetch_claims(payload::BlobSource& blobs, const std::vector<record::DataRef>& references,
                                 const StopToken& stop) {
  BufferChain all;
  for (const auto& reference : references) {
    GOPLINE_ASSIGN(auto store, blobs.store_of(reference.uri));
    GOPLINE_ASSIGN(auto key, store->key_of(reference.uri));
    GOPLINE_ASSIGN(auto bytes, store->get(key, {0, reference.size}, stop));
    if (xxh3_hex(bytes.bytes()) != reference.xxh3) {
      return fail(ErrorCode::kCorrupt, "{}: its bytes do not have the hash in ce_dataxxh3", reference.uri);
    }
    all.append(std::move(bytes));
  }
  return all;
}

}  // namespace gopline::aggregator
