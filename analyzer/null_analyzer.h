#pragma once
#include <memory>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"

namespace gopline::analyzer {

// Finds nothing: for measuring what is before an analyzer. Options: format, size (as decoded).
Result<std::unique_ptr<AnalyzerKind>> make_null_kind(const Specification& specification);

}  // namespace gopline::analyzer
