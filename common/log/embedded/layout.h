#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/strong_int.h"

// Names and numbers of the directory and the catalogue.
namespace gopline::embedded {

inline std::string catalogue_path(const std::string& directory) {
  return directory + "/catalogue.db";
}
inline std::string tail_path(const std::string& directory) {
  return directory + "/tail";
}
inline std::string payload_directory(const std::string& directory) {
  return directory + "/payload";
}
inline std::string payload_path(const std::string& directory, std::string_view name) {
  return payload_directory(directory) + "/" + std::string(name);
}
inline std::string sessions_directory(const std::string& directory) {
  return directory + "/sessions";
}
inline std::string session_path(const std::string& directory, std::string_view session) {
  return sessions_directory(directory) + "/" + std::string(session) + ".lock";
}

// A record's row id is its partition's row id and its offset, so that a partition is a range of the table and
// appending to one writes next to its newest record: 2^23 partitions of 2^40 records.
inline constexpr int kOffsetBits = 40;
inline constexpr std::int64_t kOffsetMask = (std::int64_t{1} << kOffsetBits) - 1;
inline std::int64_t record_id(std::int64_t partition, Offset offset) {
  return partition << kOffsetBits | offset.value;
}
inline Offset offset_of(std::int64_t record_id) {
  return Offset(record_id & kOffsetMask);
}

}  // namespace gopline::embedded
