#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/analyzer.h"
#include "common/base/result.h"

namespace gopline::analyzer {

// One thing that a program says of a picture.
struct AnswerEvent {
  std::optional<std::int64_t> object;  // nullopt: it is of this picture alone
  Finding finding;
};

// {"events": [{"class": ..., "score": ..., "box": [x, y, width, height], ...}]}: docs/analyzers.md. `{}` is
// nothing. kUnavailable names what is wrong, or is what the program calls its "error".
Result<std::vector<AnswerEvent>> parse_answer(std::string_view line);

}  // namespace gopline::analyzer
