#pragma once
#include <vector>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer_chain.h"
#include "common/payload/blob_source.h"
#include "common/record/segment_headers.h"

namespace gopline::aggregator {

// The bytes that claim checks stand for, in a row, each held to its size and hash. Errors name the URI:
// kNotFound when a payload is gone, kCorrupt when it is not what the record says; any other means that it
// could not be read now.
Result<BufferChain> fetch_claims(payload::BlobSource& blobs, const std::vector<record::DataRef>& references,
                                 const StopToken& stop);

}  // namespace gopline::aggregator
