#include "cli/pipeline_config.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/analyzers.h"
#include "common/base/test_directory.h"

namespace gopline::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<PipelineConfig> parse_with_analyzers(const std::string& text, const std::string& path = "p.yaml") {
  return parse_pipeline_config(text, path,
                               [](const analyzer::Specification& one) { return make_analyzer_kind(one); });
}

PipelineConfig good_pipeline(const std::string& text) {
  auto config = parse_with_analyzers(text);
  EXPECT_TRUE(config) << config.error().message;
  return config.value_or(PipelineConfig{});
}

std::string wrong_pipeline(const std::string& text) {
  auto config = parse_with_analyzers(text);
  EXPECT_FALSE(config);
  return config ? "" : config.error().message;
}

TEST(PipelineConfig, StagesAreReadWithWhatDecides) {
  auto config = good_pipeline(R"(
name: entrance
stages:
  - analyzer: motion
    events: false
    options: {sensitivity: 0.7, zone: ["door@0:0;1:0;1:1", "yard@0:0;0:1;1:1"]}
  - analyzer: exec
    name: people
    after: motion
    when:
      - {class: motion, zone: [door, gate], score: 0.25}
      - {zone: yard}
    for: 500ms
    frames: 2.5
    options: {run: "python3 a.py --sizes 1,2", format: jpeg}
  - analyzer: exec
    after: people
    options: {run: cat}
join: {timeout: 250ms}
enrich:
  - topic: gopline.assets
    by: stream|zone
)");
  const auto& pipeline = config.pipeline;
  EXPECT_EQ(pipeline.name, "entrance");
  ASSERT_EQ(pipeline.stages.size(), 3u);
  EXPECT_EQ(pipeline.stages[0].name, "motion");
  EXPECT_FALSE(pipeline.stages[0].tells);
  EXPECT_FALSE(pipeline.stages[0].after);
  const auto& people = pipeline.stages[1];
  EXPECT_EQ(people.name, "people");
  EXPECT_EQ(people.after, 0u);
  EXPECT_EQ(people.hold, 500ms);
  EXPECT_EQ(people.frames, (analyzer::FrameChoice{analyzer::FrameChoice::Kind::kRate, {25, 10}}));
  ASSERT_EQ(people.when.size(), 2u);
  EXPECT_THAT(people.when[0].zones, ElementsAre("door", "gate"));
  EXPECT_EQ(people.when[0].least_score, 0.25);
  EXPECT_THAT(people.when[1].zones, ElementsAre("yard"));
  EXPECT_EQ(pipeline.stages[2].after, 1u);
  EXPECT_EQ(pipeline.stages[2].hold, 2s) << "by default";
  EXPECT_TRUE(pipeline.stages[2].tells);
  EXPECT_EQ(pipeline.join_patience, 250ms);
  ASSERT_EQ(config.tables.size(), 1u);
  EXPECT_EQ(config.tables[0].topic, "gopline.assets");
  EXPECT_THAT(config.tables[0].by, ElementsAre("stream", "zone"));
}

TEST(PipelineConfig, OptionsAreThoseOfTheCommandLine) {
  auto config = good_pipeline("stages: [{analyzer: motion, options: {sensitivity: 0.7}}]");
  auto same = make_analyzer_kind("motion:sensitivity=0.7");
  EXPECT_EQ(config.pipeline.stages[0].kind->identity(), (*same)->identity());
  EXPECT_FALSE(config.pipeline.join_patience);
}

TEST(PipelineConfig, OtherFilesAreSoughtBesideIt) {
  TestDirectory folder;
  std::ofstream(folder / "sites.csv") << "stream,site\ngate,Basel\n";
  std::ofstream(folder / "pipeline.yaml") << "stages: [{analyzer: 'null'}]\nenrich: [{file: sites.csv}]\n";
  auto config = read_pipeline_config(folder / "pipeline.yaml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->tables[0].file, folder / "sites.csv");
  EXPECT_EQ(config->tables[0].name, "sites");
  EXPECT_TRUE(is_pipeline_config(folder / "pipeline.yaml"));
  std::ofstream(folder / "cameras.yaml") << "cameras: []\n";
  EXPECT_FALSE(is_pipeline_config(folder / "cameras.yaml"));
  EXPECT_FALSE(is_pipeline_config(folder / "nothing.yaml"));
}

TEST(PipelineConfig, TheExampleInTheDocumentsIsGood) {
  auto config = read_pipeline_config(std::string(GOPLINE_SOURCE_DIR) + "/docs/pipeline.yaml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->pipeline.stages.size(), 3u);
}

TEST(PipelineConfig, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(wrong_pipeline("a: 1"), HasSubstr("p.yaml:1: there is no 'a'; there are: name, stages, join"));
  EXPECT_THAT(wrong_pipeline("name: x"), HasSubstr("expected `stages:`"));
  EXPECT_THAT(wrong_pipeline("stages: []"), HasSubstr("p.yaml:1: expected a list of at least one stage"));
  EXPECT_THAT(wrong_pipeline("stages:\n  - name: x\n"), HasSubstr("p.yaml:2: this stage has no analyzer"));
  EXPECT_THAT(wrong_pipeline("stages:\n  - analyzer: emotion\n"),
              HasSubstr("p.yaml:2: there is no analyzer 'emotion'"));
  EXPECT_THAT(wrong_pipeline(
                  "stages:\n  - analyzer: motion\n    options:\n      memory: 20s\n      sensitivity: 7\n"),
              HasSubstr("p.yaml:5: motion: sensitivity: '7' is not a number"));
  EXPECT_THAT(
      wrong_pipeline("stages:\n  - analyzer: motion\n    options:\n      memory: 20s\n      speed: 7\n"),
      HasSubstr("p.yaml:5: motion has no option 'speed'"));
  EXPECT_THAT(wrong_pipeline("stages:\n  - {analyzer: 'null', after: motion}\n  - {analyzer: motion}\n"),
              HasSubstr("p.yaml:2: there is no stage 'motion' above this one"));
  EXPECT_THAT(wrong_pipeline("stages:\n  - {analyzer: motion}\n  - {analyzer: motion}\n"),
              HasSubstr("p.yaml:3: there are two stages 'motion'"));
  EXPECT_THAT(wrong_pipeline("stages:\n  - {analyzer: motion, for: 2s}\n"), HasSubstr("which one?"));
  EXPECT_THAT(wrong_pipeline("stages:\n  - {analyzer: motion, name: 'a b'}\n"), HasSubstr("letters, digits"));
  EXPECT_THAT(wrong_pipeline("stages:\n  - {analyzer: motion, events: false}\n"),
              HasSubstr("nobody would learn"));
  EXPECT_THAT(wrong_pipeline("stages: [{analyzer: motion}]\njoin: {timeout: 0s}\n"), HasSubstr("p.yaml:2:"));
  EXPECT_THAT(wrong_pipeline("stages: [{analyzer: motion}]\nenrich: [{by: stream}]\n"),
              HasSubstr("p.yaml:2: a table has a `file:` or a `topic:`"));
  EXPECT_THAT(wrong_pipeline("stages: [{analyzer: motion}]\nenrich: [{file: /no/such.csv}]\n"),
              HasSubstr("p.yaml:2: /no/such.csv"));
  EXPECT_THAT(wrong_pipeline("stages: [{analyzer: motion}]\nenrich: [{topic: a, by: colour}]\n"),
              HasSubstr("p.yaml:2: 'colour'"));
  EXPECT_THAT(wrong_pipeline("stages: [{analyzer: motion}\n"), HasSubstr("p.yaml:"));
}

TEST(PipelineConfig, OneFaultDoesNotHideTheNext) {
  auto said = wrong_pipeline(
      "stages:\n"
      "  - analyzer: motion\n"
      "    frames: -2\n"
      "  - analyzer: 'null'\n"
      "    after: motion\n"
      "    when: {colour: red, score: 2}\n"
      "join: soon\n");
  for (const auto* fault : {"p.yaml:3: expected all, key", "p.yaml:6: there is no 'colour'",
                            "p.yaml:6: expected a score", "p.yaml:7: expected how branches are joined"})
    EXPECT_THAT(said, HasSubstr(fault));
}

TEST(TableWords, AreAFileOrATopicAndByWhat) {
  auto plain = parse_table_words("/srv/sites.csv");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->file, "/srv/sites.csv");
  EXPECT_EQ(plain->name, "sites");
  EXPECT_THAT(plain->by, ElementsAre("stream"));
  auto topic = parse_table_words("stream|zone=topic:gopline.zones");
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->topic, "gopline.zones");
  EXPECT_EQ(topic->name, "gopline.zones");
  EXPECT_THAT(topic->by, ElementsAre("stream", "zone"));
  for (const auto* bad : {"", "zone=", "colour=a.csv", "topic:"}) EXPECT_FALSE(parse_table_words(bad)) << bad;
}

}  // namespace
}  // namespace gopline::cli
