#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_store.h"
#include "common/payload/compressibility.h"
#include "common/payload/strategy.h"
#include "splitter/publisher.h"

namespace gopline::splitter {

struct PutOptions {
  std::string file;
  std::string stream;
  std::string topic_namespace;  // that of files: record::files_namespace()
  std::string content_type = "application/octet-stream";
  std::optional<std::uint64_t> piece_bytes;  // of a segment; nullopt: by strategy
  payload::StrategySettings payload;
  payload::BlobStore* blobs = nullptr;
  payload::Compression compression = payload::Compression::kAuto;
  bool again = false;  // even if the stream's newest epoch has the same file whole
  std::int32_t partitions = 8;
  Retention retention;  // of topics made now
};

struct PutReport {
  EpochSummary epoch;
  std::uint64_t size = 0;          // of the file
  std::uint64_t resumed_from = 0;  // bytes that an earlier run had stored
  payload::CompressionChoice compression;
  std::optional<EpochNumber> whole;  // the epoch that has the file already: nothing was written
};

// Writes a file into a stream as one epoch: pieces in a row, each a segment whose bytes are the file's. A run
// that died is gone on with: where the stream's newest epoch is of the same file (name, size, time of
// modification) and has not ended, the new epoch says of which it is the rest, and begins behind the last
// piece that came whole. Memory does not depend on the file's size. kNotFound and kIo name the file;
// kCorrupt when it changed under the reader; else the log's or the store's error, and a next run goes on.
Result<PutReport> put_file(Log& log, const Clock& clock, const PutOptions& options,
                           const std::function<void(std::uint64_t done, std::uint64_t size)>& on_progress,
                           StopToken stop);

}  // namespace gopline::splitter
