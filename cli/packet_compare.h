#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace gopline::cli {

// What two media files have in common, as our own demuxer reads them.
struct PacketComparison {
  std::int64_t packets = 0;  // of the first file, all tracks
  std::uint64_t bytes = 0;   // of their payloads
  std::string
      difference;  // the first one found, for people; empty: every packet of every track has the same payload

  bool equal() const { return difference.empty(); }
};

// Compares two files packet by packet and track by track. The error is for a file that cannot be read at all.
Result<PacketComparison> compare_packets(const std::string& first, const std::string& second);

// Whether two small files have the same bytes.
Result<bool> same_text(const std::string& first, const std::string& second);

}  // namespace gopline::cli
