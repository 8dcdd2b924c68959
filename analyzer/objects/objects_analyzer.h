#pragma once
#include <memory>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"
#include "common/base/result.h"

namespace gopline::analyzer {

// Objects that a neural network sees: docs/analyzers.md, "objects". kInvalidArgument: its options, or the
// network.
Result<std::unique_ptr<AnalyzerKind>> make_objects_kind(const Specification& specification);

}  // namespace gopline::analyzer
