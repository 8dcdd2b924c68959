#pragma once
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace gopline::record {

// The topic names of one namespace: docs/record-format.md, section 1.
struct Topics {
  std::string segments;  // epoch.started, segment, gap, epoch.ended
  std::string index;     // index, index.hour
  std::string streams;   // stream; compacted
  std::string events;
  std::string backlog, kept, dead;
};

inline constexpr std::string_view kDefaultNamespace = "gopline";

Topics topics_of(std::string_view name_space = kDefaultNamespace);

// The namespace in which files lie beside a namespace's video: NAMESPACE.files.
std::string files_namespace(std::string_view name_space = kDefaultNamespace);

// Letters, digits, '.', '_' and '-', as Kafka allows in a topic name; at most 200. kInvalidArgument
// otherwise.
Result<void> check_namespace(std::string_view name_space);

}  // namespace gopline::record
