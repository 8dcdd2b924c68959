#include <cstdlib>
#include <string>

#include "analyzer/null_analyzer.h"
#include "cli/pipeline_config.h"

// Files of pipelines: whatever they say, what comes out is whole, or every fault names the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gopline;
  std::string text(reinterpret_cast<const char*>(data), size);
  auto make = [](const analyzer::Specification&) { return analyzer::make_null_kind({"null", {}}); };
  auto config = cli::parse_pipeline_config(text, "p.yaml", make);
  if (!config) {
    if (!config.error().message.starts_with("p.yaml:")) std::abort();
    return 0;
  }
  const auto& stages = config->pipeline.stages;
  if (stages.empty()) std::abort();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!stages[i].kind || stages[i].name.empty() || (stages[i].after && *stages[i].after >= i)) std::abort();
  }
  return 0;
}
