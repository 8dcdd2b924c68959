#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/log/log.h"
#include "common/record/markers.h"
#include "common/record/topics.h"

namespace gopline::catalog {

// All streams of a namespace, from NS.streams alone: docs/record-format.md, sections 1 and 4.
// The newest epoch's newest record of a key is its state (an older writer that lives on cannot push a newer
// one aside); a record with a null value removes the stream. Not thread-safe.
class StreamDirectory {
 public:
  // Reads NS.streams up to its end as of now. A namespace without topics is an empty directory.
  // With `only`, every other stream is passed over.
  static Result<StreamDirectory> read(Log& log, const record::Topics& topics,
                                      std::optional<std::string> only = std::nullopt);

  // Reads on up to the end as of now.
  Result<void> refresh();

  // A state without an epoch is a stream that only has its partition: a writer was about to begin.
  const std::map<std::string, record::StreamState>& streams() const { return streams_; }
  // kNotFound names the streams there are.
  Result<record::StreamState> find(const std::string& stream) const;

  // The partition on which a stream's first writers agree: the lowest named before the first record with an
  // epoch. nullopt: nobody has named one.
  std::optional<PartitionId> settled_partition(const std::string& stream) const;

  // Records that could not be read, with why.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  Log* log_ = nullptr;
  record::Topics topics_;
  std::optional<std::string> only_;
  std::int32_t partitions_ = 0;  // 0: the topic is yet to be found
  std::map<PartitionId, Offset> next_;
  std::map<std::string, record::StreamState> streams_;
  std::map<std::string, PartitionId> claims_;
  std::vector<std::string> problems_;

  void take(const StoredRecord& stored);
};

}  // namespace gopline::catalog
