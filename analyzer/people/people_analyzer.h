#pragma once
#include <memory>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"
#include "common/base/result.h"

namespace gopline::analyzer {

// People who stand or walk, by histograms of oriented gradients, without a model file: docs/analyzers.md,
// "people". OpenCV works in the caller's thread alone, in all of the process.
Result<std::unique_ptr<AnalyzerKind>> make_people_kind(const Specification& specification);

}  // namespace gopline::analyzer
