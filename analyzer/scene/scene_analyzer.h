#pragma once
#include <memory>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"
#include "common/base/result.h"

namespace gopline::analyzer {

// Whether a camera sees what it used to see: docs/analyzers.md, "scene". kInvalidArgument: its options.
Result<std::unique_ptr<AnalyzerKind>> make_scene_kind(const Specification& specification);

}  // namespace gopline::analyzer
