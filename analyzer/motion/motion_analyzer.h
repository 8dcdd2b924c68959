#pragma once
#include <memory>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"

namespace gopline::analyzer {

// Motion, by how pixels differ from what they usually are (Zivkovic 2004, OpenCV's MOG2), in zones of the
// picture or all of it: one event for as long as something moves in a zone. OpenCV works in the caller's
// thread alone, in all of the process. docs/analyzers.md has the options.
Result<std::unique_ptr<AnalyzerKind>> make_motion_kind(const Specification& specification);

}  // namespace gopline::analyzer
