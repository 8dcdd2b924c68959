#pragma once
#include <memory>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"
#include "common/base/result.h"

namespace gopline::analyzer {

// Silence, clipping, sudden noise, and how loud it is: docs/analyzers.md, "audio". kInvalidArgument: its
// options.
Result<std::unique_ptr<AnalyzerKind>> make_audio_kind(const Specification& specification);

}  // namespace gopline::analyzer
