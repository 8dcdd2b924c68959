#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/base/result.h"
#include "common/catalog/stream_directory.h"
#include "common/log/log.h"
#include "common/record/chunk_assembler.h"
#include "common/record/topics.h"

namespace gopline::reading {

// Finds an epoch's opening record for whoever reads from the middle: among those that came, in NS.streams, or
// where the epoch's number says it lies. Not thread-safe.
class EpochFinder {
 public:
  // The log outlives it.
  static Result<EpochFinder> open(Log& log, const record::Topics& topics);

  void know(const std::string& stream, record::StartedEpoch started);
  // nullopt: nobody knows it any more. Other errors: it cannot be read now.
  Result<std::optional<record::StartedEpoch>> find(const std::string& stream, EpochNumber number);
  // The stream's newest state; nullopt: NS.streams has none.
  Result<std::optional<record::StreamState>> state_of(const std::string& stream);

 private:
  EpochFinder(Log& log, record::Topics topics, catalog::StreamDirectory directory)
      : log_(&log), topics_(std::move(topics)), directory_(std::move(directory)) {}

  Log* log_;
  record::Topics topics_;
  catalog::StreamDirectory directory_;
  std::map<std::string, std::map<EpochNumber, record::StartedEpoch>> known_;
};

}  // namespace gopline::reading
