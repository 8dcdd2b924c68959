#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/log/log.h"

// The golden cases: what each stores, and how its records lie in files.
namespace gopline::golden {

// One record on disk: NNN.headers has "@" lines (topic, partition, offset, key, timestamp), then "name:
// value" lines in order; NNN.value has the bytes.
struct StoredFile {
  std::string topic;
  Offset offset;
  PartitionId partition;
  Timestamp timestamp;
  std::string key;
  Headers headers;
  Buffer value;
};

// How a case is written; see golden_writer.cpp.
struct GoldenCase {
  std::string name;    // folder under tests/golden/v1
  std::string source;  // file in it
};

const std::vector<GoldenCase>& golden_cases();

// The records that the case's source gives, in all three topics, and behind them the payloads of claim checks
// ("blobs", by their keys), with fixed identities and times.
Result<std::vector<StoredFile>> write_case(const std::filesystem::path& golden,
                                           const GoldenCase& golden_case);

Result<void> save(const std::filesystem::path& folder, const std::vector<StoredFile>& records);
// Topic by topic ("segments", "index", "streams", "blobs"), in offset order.
Result<std::vector<StoredFile>> load(const std::filesystem::path& folder);

}  // namespace gopline::golden
