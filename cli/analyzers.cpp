#include "cli/analyzers.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "analyzer/audio/audio_analyzer.h"
#include "analyzer/exec/exec_analyzer.h"
#include "analyzer/motion/motion_analyzer.h"
#include "analyzer/null_analyzer.h"
#include "analyzer/objects/objects_analyzer.h"
#include "analyzer/options.h"
#include "analyzer/people/people_analyzer.h"
#include "analyzer/scene/scene_analyzer.h"

namespace gopline::cli {
namespace {

using Maker = Result<std::unique_ptr<analyzer::AnalyzerKind>> (*)(const analyzer::Specification&);
constexpr std::array<std::pair<std::string_view, Maker>, 7> kAnalyzers{{
    {"motion", analyzer::make_motion_kind},
    {"people", analyzer::make_people_kind},
    {"objects", analyzer::make_objects_kind},
    {"scene", analyzer::make_scene_kind},
    {"audio", analyzer::make_audio_kind},
    {"exec", analyzer::make_exec_kind},
    {"null", analyzer::make_null_kind},
}};

}  // namespace

Result<std::unique_ptr<analyzer::AnalyzerKind>> make_analyzer_kind(const std::string& words) {
  GOPLINE_ASSIGN(auto specification, analyzer::parse_specification(words));
  return make_analyzer_kind(specification);
}

Result<std::unique_ptr<analyzer::AnalyzerKind>> make_analyzer_kind(
    const analyzer::Specification& specification) {
  std::vector<std::string_view> names;
  for (auto [name, make] : kAnalyzers) {
    if (name == specification.name) return make(specification);
    names.push_back(name);
  }
  return fail(ErrorCode::kInvalidArgument, "there is no analyzer '{}'; there are {}", specification.name,
              fmt::join(names, ", "));
}

}  // namespace gopline::cli
