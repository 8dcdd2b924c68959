#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace gopline::cli {

// A source and the stream it is split into.
struct NamedSource {
  std::string source;  // as the user wrote it; "-" is standard input
  std::string stream;
};

// The stream a source gets when none is given: its file name without the extension, or "stdin".
std::string default_stream_of(std::string_view source);

// Pairs every source with its stream: `streams` in order, one for each source, or none at all for the default
// names. kInvalidArgument when the counts differ, when two sources would share a stream, or when a name is
// not a stream id.
Result<std::vector<NamedSource>> name_sources(const std::vector<std::string>& sources,
                                              const std::vector<std::string>& streams);

}  // namespace gopline::cli
