#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "analyzer/options.h"
#include "analyzer/pipeline/pipeline_analyzer.h"
#include "cli/enrichment_words.h"
#include "common/base/result.h"

namespace gopline::cli {

// What a file of a pipeline says (docs/pipeline.yaml).
struct PipelineConfig {
  analyzer::PipelineOptions pipeline;
  std::vector<TableWords> tables;
};

using KindMaker =
    std::function<Result<std::unique_ptr<analyzer::AnalyzerKind>>(const analyzer::Specification&)>;

// Reads a file, with the analyzers and tables that it names. kInvalidArgument: everything that is wrong with
// it, a line of text for each, "FILE:LINE: ..."; kNotFound, kPermissionDenied: the file.
Result<PipelineConfig> read_pipeline_config(const std::string& path);

// The same of text in memory; `path` is for messages, and other files are sought beside it.
Result<PipelineConfig> parse_pipeline_config(const std::string& text, const std::string& path,
                                             const KindMaker& make_kind);

// Whether a file is of a pipeline, by its first level having stages; what cannot be read is not.
bool is_pipeline_config(const std::string& path);

}  // namespace gopline::cli
