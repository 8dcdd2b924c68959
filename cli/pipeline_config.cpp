#include "cli/pipeline_config.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "analyzer/enrichment/table_text.h"
#include "cli/analyzers.h"
#include "cli/frame_words.h"
#include "cli/yaml_words.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using yaml::word;
using yaml::Wrong;

constexpr Duration kDefaultHold = std::chrono::seconds(2);
constexpr std::size_t kMostNameBytes = 64;

// In ids of events, between '-' and '.'.
std::string name_at(const YAML::Node& node) {
  auto name = word(node, "a name");
  bool good =
      !name.empty() && name.size() <= kMostNameBytes &&
      std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
  if (!good) throw Wrong{node.Mark(), fmt::format("'{}': a name has letters, digits, - and _ alone", name)};
  return name;
}

// A word, or a list of them.
std::vector<std::string> words_at(const YAML::Node& node, std::string_view expected) {
  if (node.IsScalar()) return {node.Scalar()};
  if (!node.IsSequence() || node.size() == 0) throw Wrong{node.Mark(), fmt::format("expected {}", expected)};
  std::vector<std::string> words;
  for (const auto& one : node) words.push_back(word(one, expected));
  return words;
}

Duration time_at(const YAML::Node& node) {
  auto time = parse_duration(word(node, "a time, like 2s"));
  if (!time || *time < Duration::zero()) throw Wrong{node.Mark(), "expected a time, like 2s"};
  return *time;
}

double score_at(const YAML::Node& node) {
  auto text = word(node, "a score from 0 to 1");
  double score = -1;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), score);
  if (failed != std::errc{} || end != text.data() + text.size() || !(score >= 0 && score <= 1))
    throw Wrong{node.Mark(), "expected a score from 0 to 1"};
  return score;
}

[[noreturn]] void unknown_word(const YAML::Node& at, std::string_view name, std::string_view known) {
  throw Wrong{at.Mark(), fmt::format("there is no '{}'; there are: {}", name, known)};
}

// A stage as it is written, before it is known what its analyzer is.
struct StageWords {
  analyzer::Specification specification;
  YAML::Node options, after, at;
  std::optional<std::string> name;
  analyzer::Stage stage;
  bool has_when = false, has_hold = false;
};

class PipelineParser {
 public:
  PipelineParser(std::string path, const KindMaker& make_kind)
      : folder_(std::filesystem::path(path).parent_path().string()),
        make_kind_(make_kind),
        faults_(std::move(path)) {}

  Result<PipelineConfig> run(const std::string& text) {
    config_.pipeline.name = "pipeline";
    faults_.reading(text, [&](const YAML::Node& document) { take_document(document); });
    if (!faults_.empty()) return faults_.all();
    return std::move(config_);
  }

 private:
  void take_document(const YAML::Node& document) {
    bool has_stages = false;
    faults_.entries(document, "`stages:` and below it a list of them",
                    [&](const std::string& name, const auto& at, const auto& value) {
                      if (name == "name") {
                        config_.pipeline.name = name_at(value);
                      } else if (name == "stages") {
                        has_stages = true;
                        take_stages(value);
                      } else if (name == "join") {
                        take_join(value);
                      } else if (name == "enrich") {
                        take_tables(value);
                      } else {
                        unknown_word(at, name, "name, stages, join, enrich");
                      }
                    });
    if (document.IsMap() && !has_stages) faults_.note(document.Mark(), "expected `stages:`, a list of them");
  }

  void take_stages(const YAML::Node& node) {
    if (!node.IsSequence() || node.size() == 0)
      throw Wrong{node.Mark(), "expected a list of at least one stage"};
    for (const auto& one : node) take_stage(one);
    const auto& stages = config_.pipeline.stages;
    if (!stages.empty() && std::ranges::none_of(stages, &analyzer::Stage::tells))
      faults_.note(node.Mark(), "every stage says `events: false`: nobody would learn anything");
  }

  void take_stage(const YAML::Node& node) {
    StageWords words;
    words.at.reset(node);
    words.stage.hold = kDefaultHold;
    words.specification.folder = folder_;
    faults_.entries(node, "a stage: `analyzer:` and what else is said of it",
                    [&](const std::string& name, const auto& at, const auto& value) {
                      take_stage_word(words, name, at, value);
                    });
    if (!node.IsMap()) return;
    faults_.trying([&] {
      if (words.specification.name.empty()) throw Wrong{node.Mark(), "this stage has no analyzer"};
      finish_stage(words);
    });
  }

  void take_stage_word(StageWords& words, const std::string& name, const YAML::Node& at,
                       const YAML::Node& value) {
    auto& stage = words.stage;
    if (name == "analyzer") {
      words.specification.name = word(value, "an analyzer's name");
    } else if (name == "name") {
      words.name = name_at(value);
    } else if (name == "options") {
      words.options.reset(value);
      take_options(words.specification, value);
    } else if (name == "frames") {
      stage.frames = frames_of(word(value, "all, key, or so many a second"));
      if (!stage.frames) throw Wrong{value.Mark(), "expected all, key, or so many a second, like 2 or 0.5"};
    } else if (name == "after") {
      words.after.reset(value);
    } else if (name == "when") {
      words.has_when = true;
      stage.when = conditions_at(value);
    } else if (name == "for") {
      words.has_hold = true;
      stage.hold = time_at(value);
    } else if (name == "events") {
      stage.tells = yaml::truth(value);
    } else {
      unknown_word(at, name, "analyzer, name, options, frames, after, when, for, events");
    }
  }

  void take_options(analyzer::Specification& specification, const YAML::Node& node) {
    faults_.entries(node, "the analyzer's options, a line NAME: VALUE for each",
                    [&](const std::string& name, const auto&, const auto& value) {
                      for (auto& one : words_at(value, "a value, or a list of them"))
                        specification.options.emplace_back(name, std::move(one));
                    });
  }

  std::vector<analyzer::Condition> conditions_at(const YAML::Node& node) {
    std::vector<analyzer::Condition> conditions;
    if (node.IsSequence()) {
      for (const auto& one : node) conditions.push_back(condition_at(one));
    } else {
      conditions.push_back(condition_at(node));
    }
    if (conditions.empty()) throw Wrong{node.Mark(), "expected a condition: class, zone, score"};
    return conditions;
  }

  analyzer::Condition condition_at(const YAML::Node& node) {
    analyzer::Condition condition;
    faults_.entries(node, "a condition: class, zone, score, or a list of such",
                    [&](const std::string& name, const auto& at, const auto& value) {
                      if (name == "class") {
                        condition.classes = words_at(value, "a class, or a list of them");
                      } else if (name == "zone") {
                        condition.zones = words_at(value, "a zone, or a list of them");
                      } else if (name == "score") {
                        condition.least_score = score_at(value);
                      } else {
                        unknown_word(at, name, "class, zone, score");
                      }
                    });
    return condition;
  }

  void finish_stage(StageWords& words) {
    auto& stages = config_.pipeline.stages;
    auto& stage = words.stage;
    if (words.after.IsDefined() && !words.after.IsNull()) {
      auto name = word(words.after, "the name of a stage");
      auto found = std::ranges::find(stages, name, &analyzer::Stage::name);
      if (found == stages.end())
        throw Wrong{words.after.Mark(), fmt::format("there is no stage '{}' above this one", name)};
      stage.after = static_cast<std::size_t>(found - stages.begin());
    } else if (words.has_when || words.has_hold) {
      throw Wrong{words.at.Mark(), "`when` and `for` say what the stage of `after` has to find: which one?"};
    }
    auto kind = make_kind_(words.specification);
    if (!kind) throw Wrong{place_of(words, kind.error().message), kind.error().message};
    stage.kind = std::move(*kind);
    stage.name = words.name.value_or(stage.kind->identity().name);
    if (std::ranges::find(stages, stage.name, &analyzer::Stage::name) != stages.end())
      throw Wrong{words.at.Mark(),
                  fmt::format("there are two stages '{}': give one a name of its own", stage.name)};
    stages.push_back(std::move(stage));
  }

  // Of what an analyzer complains about: the option that it names.
  static YAML::Mark place_of(const StageWords& words, const std::string& complaint) {
    if (!words.options.IsDefined() || !words.options.IsMap()) return words.at.Mark();
    for (const auto& entry : words.options) {
      auto name = entry.first.Scalar();
      bool named = complaint.starts_with(fmt::format("{}: {}: ", words.specification.name, name)) ||
                   complaint.find(fmt::format("no option '{}'", name)) != std::string::npos;
      if (named) return entry.first.Mark();
    }
    return words.at.Mark();
  }

  void take_join(const YAML::Node& node) {
    faults_.entries(node, "how branches are joined: `timeout: 500ms`",
                    [&](const std::string& name, const auto& at, const auto& value) {
                      if (name != "timeout") unknown_word(at, name, "timeout");
                      config_.pipeline.join_patience =
                          yaml::parsed(value, "a time, like 500ms", parse_duration);
                    });
  }

  void take_tables(const YAML::Node& node) {
    if (!node.IsSequence()) throw Wrong{node.Mark(), "expected a list of tables"};
    for (const auto& one : node) take_table(one);
  }

  void take_table(const YAML::Node& node) {
    TableWords table;
    table.by = {"stream"};
    faults_.entries(node, "a table: `file:` or `topic:`, and `by:`",
                    [&](const std::string& name, const auto& at, const auto& value) {
                      if (name == "file") {
                        auto path = std::filesystem::path(folder_) / word(value, "a file");
                        table.file = path.string();
                      } else if (name == "topic") {
                        table.topic = word(value, "a topic");
                      } else if (name == "name") {
                        table.name = word(value, "a name");
                      } else if (name == "by") {
                        auto by = analyzer::parse_table_key(word(value, "stream, zone, class or track"));
                        if (!by) throw Wrong{value.Mark(), by.error().message};
                        table.by = *by;
                      } else {
                        unknown_word(at, name, "file, topic, by, name");
                      }
                    });
    if (!node.IsMap()) return;
    if (table.file.empty() == table.topic.empty())
      return faults_.note(node.Mark(), "a table has a `file:` or a `topic:`");
    if (table.name.empty()) table.name = default_table_name(table);
    if (auto good = check_table_file(table); !good) faults_.note(node.Mark(), good.error().message);
    config_.tables.push_back(std::move(table));
  }

  const std::string folder_;
  const KindMaker& make_kind_;
  PipelineConfig config_;
  yaml::Faults faults_;
};

Result<std::string> whole_text_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail_errno(errno, path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Result<PipelineConfig> parse_pipeline_config(const std::string& text, const std::string& path,
                                             const KindMaker& make_kind) {
  return PipelineParser(path, make_kind).run(text);
}

Result<PipelineConfig> read_pipeline_config(const std::string& path) {
  GOPLINE_ASSIGN(auto text, whole_text_of(path));
  GOPLINE_ASSIGN(auto config, parse_pipeline_config(text, path, [](const analyzer::Specification& one) {
                   return make_analyzer_kind(one);
                 }));
  // What is wrong with them together is wrong with the file.
  SystemClock clock;
  if (auto whole = analyzer::make_pipeline_kind(config.pipeline, clock); !whole)
    return fail(ErrorCode::kInvalidArgument, "{}: {}", path, whole.error().message);
  return config;
}

bool is_pipeline_config(const std::string& path) {
  auto text = whole_text_of(path);
  if (!text) return false;
  try {
    auto document = YAML::Load(*text);
    return document.IsMap() && document["stages"].IsDefined();
  } catch (const YAML::Exception&) {
    return false;
  }
}

}  // namespace gopline::cli
