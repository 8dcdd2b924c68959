#pragma once
#include <memory>
#include <string>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"
#include "common/base/result.h"

namespace gopline::cli {

// The one place that knows which analyzers there are: NAME[:key=value[,key=value...]]. kInvalidArgument says
// what is wrong with the words, and which there are.
Result<std::unique_ptr<analyzer::AnalyzerKind>> make_analyzer_kind(const std::string& words);
Result<std::unique_ptr<analyzer::AnalyzerKind>> make_analyzer_kind(
    const analyzer::Specification& specification);

}  // namespace gopline::cli
