#pragma once
#include <memory>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"

namespace gopline::analyzer {

// Any program: for each picture a line of JSON and the picture go to its standard input, and a line of JSON
// comes back. docs/analyzers.md has the options and the protocol.
Result<std::unique_ptr<AnalyzerKind>> make_exec_kind(const Specification& specification);

}  // namespace gopline::analyzer
