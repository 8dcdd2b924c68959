#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/pipeline/gate.h"
#include "common/base/clock.h"
#include "common/base/result.h"

namespace gopline::analyzer {

// One analyzer of a pipeline, and what it is to see.
struct Stage {
  std::string name;  // of its events
  std::shared_ptr<const AnalyzerKind> kind;
  std::optional<FrameChoice> frames;  // instead of its own wish
  // The stage before it that decides (its place in the pipeline), by what, and for how long after.
  std::optional<std::size_t> after;
  std::vector<Condition> when;  // one of them; none: anything that it finds
  Duration hold{};
  bool tells = true;  // what it finds is an event; else it only decides
};

struct PipelineOptions {
  std::string name;
  std::vector<Stage> stages;
  // Who has not answered so long after a picture was shown to the first is not waited for; nullopt: all are.
  std::optional<Duration> join_patience;
  // ... but here all are, whatever it says: what is there already does not run away.
  bool waits_for_all = false;
};

// Several analyzers as one. Every picture is shown to each stage that is to see it, those first that decide
// about others; what they say of it is told when all have answered, stage by stage, before the next picture
// is taken. Stages that wait for other processes (Wishes::waits) do so at the same time, and only they can be
// late. A stage that is not shown pictures any more has its events ended; it is made at the first picture
// that it is shown, and kept. An event is the stage's, with the pipeline's configuration.
//
// The warm-up is the longest sum along a path: what a stage sees now was decided by what the one before it
// saw, and that one's memory goes back from there.
//
// kInvalidArgument: what is wrong with them as a whole: some want sound and others pictures, too many.
Result<std::unique_ptr<AnalyzerKind>> make_pipeline_kind(PipelineOptions options, const Clock& clock);

}  // namespace gopline::analyzer
