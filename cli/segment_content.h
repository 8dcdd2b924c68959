#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/record/chunk_assembler.h"
#include "common/record/markers.h"

namespace gopline::cli {

// What a segment's bytes say of themselves.
struct ContentFacts {
  std::string init_xxh3;  // empty for NUT
  std::vector<record::IndexPart> parts;
  std::int64_t packets = 0;
  std::vector<std::string> problems;  // where the bytes contradict the headers
};

// Parses the segment down to its packets and holds them to the headers: start, duration, access point.
// kCorrupt when the bytes do not parse.
Result<ContentFacts> read_content(const record::AssembledSegment& segment,
                                  const std::vector<media::Track>& tracks);

}  // namespace gopline::cli
