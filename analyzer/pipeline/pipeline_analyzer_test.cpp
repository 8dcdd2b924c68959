#include "analyzer/pipeline/pipeline_analyzer.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::analyzer {
namespace {

using namespace std::chrono_literals;
using record::EventPhase;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What a stage says at a picture, by the picture's number.
using Script = std::function<Result<std::vector<Finding>>(std::int64_t number)>;

class ScriptedKind final : public AnalyzerKind {
 public:
  // Sound, so that there are no pictures to convert.
  static Wishes wishes_with(Duration warm_up, bool waits) {
    Wishes wishes;
    wishes.sound_channels = 1;
    wishes.warm_up = warm_up;
    wishes.waits = waits;
    return wishes;
  }
  ScriptedKind(std::string name, Script script, Duration warm_up = {}, bool waits = false)
      : AnalyzerKind({std::move(name), "7", "c0"}, wishes_with(warm_up, waits)), script_(std::move(script)) {}

  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    class Scripted final : public Analyzer {
     public:
      explicit Scripted(const Script& script) : script_(script) {}
      Result<void> take(const Frame& frame, FindingSink& sink) override {
        GOPLINE_ASSIGN(auto said, script_(frame.number));
        for (auto& one : said) sink.tell(std::move(one));
        return {};
      }
      Result<void> finish(FindingSink&) override { return {}; }

     private:
      const Script& script_;
    };
    return std::make_unique<Scripted>(script_);
  }

 private:
  const Script script_;
};

Finding says(EventPhase phase, const std::string& class_name, std::int64_t object = 1) {
  Finding finding;
  finding.object = object;
  finding.phase = phase;
  finding.class_name = class_name;
  return finding;
}

Stage stage_of(const std::string& name, Script script, std::optional<std::size_t> after = {},
               Duration hold = {}, bool waits = false) {
  Stage stage;
  stage.name = name;
  stage.kind = std::make_shared<ScriptedKind>(name, std::move(script), Duration{}, waits);
  stage.after = after;
  stage.hold = hold;
  return stage;
}

// A moment at every picture.
Script moments(const std::string& class_name) {
  return [class_name](std::int64_t) {
    return std::vector{says(EventPhase::kStart, class_name, -1), says(EventPhase::kEnd, class_name, -1)};
  };
}

// Something that is there from one picture to another.
Script there_from(std::int64_t first, std::int64_t last) {
  return [=](std::int64_t number) {
    std::vector<Finding> said;
    if (number == first) said.push_back(says(EventPhase::kStart, "motion"));
    if (number == last) said.push_back(says(EventPhase::kEnd, "motion"));
    return said;
  };
}

struct Told {
  std::int64_t picture;
  Finding finding;
};

class PipelineRun : public FindingSink {
 public:
  explicit PipelineRun(PipelineOptions options) {
    options.name = "pipeline";
    auto made = make_pipeline_kind(std::move(options), clock_);
    EXPECT_TRUE(made) << made.error().message;
    kind_ = std::move(*made);
    analyzer_ = *kind_->make("door");
  }

  Result<void> show(std::int64_t number, std::uint32_t choices = ~0U) {
    Frame frame;
    frame.stream = "door";
    frame.number = picture_ = number;
    frame.time = kNoon + number * 100ms;
    frame.choices = choices;
    auto taken = analyzer_->take(frame, *this);
    for (const auto& [stage, count] : analyzer_->take_counts()) {
      counts[stage].shown += count.shown;
      counts[stage].passed_over += count.passed_over;
      counts[stage].missed += count.missed;
    }
    return taken;
  }
  void show_all(std::int64_t pictures) {
    for (std::int64_t i = 0; i < pictures; ++i) EXPECT_TRUE(show(i));
  }
  Result<void> finish() { return analyzer_->finish(*this); }
  void tell(Finding finding) override { told.push_back({picture_, std::move(finding)}); }

  std::vector<std::int64_t> pictures_of(const std::string& stage,
                                        EventPhase phase = EventPhase::kStart) const {
    std::vector<std::int64_t> out;
    for (const auto& one : told) {
      if (one.finding.finder->name == stage && one.finding.phase == phase) out.push_back(one.picture);
    }
    return out;
  }
  const AnalyzerKind& kind() const { return *kind_; }

  std::vector<Told> told;
  StageCounts counts;

 private:
  SystemClock clock_;
  std::unique_ptr<AnalyzerKind> kind_;
  std::unique_ptr<Analyzer> analyzer_;
  std::int64_t picture_ = 0;
};

PipelineOptions pipeline_of(std::vector<Stage> stages, std::optional<Duration> patience = {}) {
  PipelineOptions options;
  options.name = "pipeline";
  options.stages = std::move(stages);
  options.join_patience = patience;
  return options;
}

TEST(Pipeline, TheDearStageSeesWhatTheCheapOneDecides) {
  auto condition = Condition{{"motion"}, {}, 0};
  auto dear = stage_of("dear", moments("person"), 0, 300ms);
  dear.when = {condition};
  PipelineRun run(pipeline_of({stage_of("cheap", there_from(3, 6)), dear}));
  run.show_all(20);
  // Open from 3 to 5, and for less than 300 ms after.
  EXPECT_THAT(run.pictures_of("dear"), ElementsAre(3, 4, 5, 6, 7));
  EXPECT_EQ(run.counts["cheap"].shown, 20);
  EXPECT_EQ(run.counts["dear"].shown, 5);
  EXPECT_EQ(run.counts["dear"].passed_over, 15);
  EXPECT_THAT(run.pictures_of("cheap"), ElementsAre(3));
}

TEST(Pipeline, AMomentDecidesToo) {
  auto dear = stage_of("dear", moments("person"), 0);
  PipelineRun run(pipeline_of({stage_of("cheap",
                                        [](std::int64_t number) {
                                          return number == 4 ? *moments("bang")(number)
                                                             : std::vector<Finding>{};
                                        }),
                               dear}));
  run.show_all(8);
  EXPECT_THAT(run.pictures_of("dear"), ElementsAre(4));
}

TEST(Pipeline, AnotherClassDecidesNothing) {
  auto dear = stage_of("dear", moments("person"), 0);
  dear.when = {{{"car"}, {}, 0}};
  PipelineRun run(pipeline_of({stage_of("cheap", there_from(1, 5)), dear}));
  run.show_all(8);
  EXPECT_EQ(run.counts["dear"].shown, 0);
}

TEST(Pipeline, WhatIsOpenEndsWhenAStageIsShownNothingAnyMore) {
  auto dear = stage_of(
      "dear",
      [](std::int64_t number) {
        return std::vector{says(number < 3 ? EventPhase::kStart : EventPhase::kUpdate, "person")};
      },
      0);
  PipelineRun run(pipeline_of({stage_of("cheap",
                                        [](std::int64_t number) {
                                          bool there = number == 2 || number == 3 || number == 6;
                                          return there ? *moments("motion")(number) : std::vector<Finding>{};
                                        }),
                               dear}));
  run.show_all(9);
  EXPECT_THAT(run.pictures_of("dear"), ElementsAre(2, 6)) << "what it goes on with begins anew";
  EXPECT_THAT(run.pictures_of("dear", EventPhase::kEnd), ElementsAre(4, 7));
}

TEST(Pipeline, StagesSeeThePicturesOfTheirOwnChoice) {
  auto often = stage_of("often", moments("a"));
  auto seldom = stage_of("seldom", moments("b"));
  seldom.frames = FrameChoice{FrameChoice::Kind::kRate, {2, 1}};
  PipelineRun run(pipeline_of({often, seldom}));
  EXPECT_EQ(run.kind().wishes().frames, FrameChoice{});
  EXPECT_THAT(run.kind().wishes().more_frames, ElementsAre(*seldom.frames));
  ASSERT_TRUE(run.show(0, 0b11));
  ASSERT_TRUE(run.show(1, 0b01));
  ASSERT_TRUE(run.show(2, 0b10));
  EXPECT_THAT(run.pictures_of("often"), ElementsAre(0, 1));
  EXPECT_THAT(run.pictures_of("seldom"), ElementsAre(0, 2));
  EXPECT_EQ(run.counts["seldom"].passed_over, 0) << "nobody kept it from one";
}

TEST(Pipeline, AStageThatOnlyDecidesTellsNothing) {
  auto cheap = stage_of("cheap", there_from(0, 9));
  cheap.tells = false;
  PipelineRun run(pipeline_of({cheap, stage_of("dear", moments("person"), 0)}));
  run.show_all(3);
  EXPECT_THAT(run.pictures_of("cheap"), IsEmpty());
  EXPECT_THAT(run.pictures_of("dear"), ElementsAre(0, 1, 2));
}

TEST(Pipeline, EventsAreTheStagesWithThePipelinesConfiguration) {
  PipelineRun run(pipeline_of({stage_of("cheap", there_from(0, 9))}));
  run.show_all(1);
  ASSERT_EQ(run.told.size(), 1u);
  EXPECT_EQ(*run.told[0].finding.finder,
            (record::AnalyzerIdentity{"cheap", "7", run.kind().identity().configuration}));
  ASSERT_TRUE(run.finish());
  EXPECT_EQ(run.told.back().finding.phase, EventPhase::kEnd) << "what is open ends with the footage";
}

TEST(Pipeline, TheConfigurationIsAllThatDecides) {
  auto configuration = [](const std::function<void(PipelineOptions&)>& change) {
    auto options = pipeline_of({stage_of("cheap", moments("a")), stage_of("dear", moments("b"), 0, 2s)});
    change(options);
    return PipelineRun(options).kind().identity().configuration;
  };
  auto plain = configuration([](auto&) {});
  EXPECT_EQ(plain, configuration([](auto& options) { options.waits_for_all = true; }));
  std::vector<std::string> all{plain};
  all.push_back(configuration([](auto& options) { options.stages[1].hold = 3s; }));
  all.push_back(configuration([](auto& options) { options.stages[1].when = {{{"a"}, {}, 0}}; }));
  all.push_back(configuration([](auto& options) { options.stages[1].when = {{{}, {"a"}, 0}}; }));
  all.push_back(configuration([](auto& options) { options.stages[1].after.reset(); }));
  all.push_back(configuration([](auto& options) { options.stages[0].tells = false; }));
  all.push_back(configuration([](auto& options) { options.join_patience = 1s; }));
  all.push_back(configuration([](auto& options) {
    options.stages[1].frames = FrameChoice{FrameChoice::Kind::kKey, {}};
  }));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
}

TEST(Pipeline, TheWarmUpIsTheLongestPath) {
  auto with = [](const std::string& name, Duration warm_up, std::optional<std::size_t> after, Duration hold) {
    auto stage = stage_of(name, moments("a"), after, hold);
    stage.kind = std::make_shared<ScriptedKind>(name, moments("a"), warm_up);
    return stage;
  };
  PipelineRun run(pipeline_of({with("a", 10s, {}, 0s), with("b", 60s, 0, 2s), with("c", 65s, {}, 0s)}));
  EXPECT_EQ(run.kind().wishes().warm_up, 72s);
}

TEST(Pipeline, PicturesAndSoundDoNotMix) {
  class PictureKind final : public AnalyzerKind {
   public:
    PictureKind() : AnalyzerKind({"seer", "1", "c"}, {}) {}
    Result<std::unique_ptr<Analyzer>> make(const std::string&) const override { return nullptr; }
  };
  Stage seer;
  seer.name = "seer";
  seer.kind = std::make_shared<PictureKind>();
  SystemClock clock;
  auto made = make_pipeline_kind(pipeline_of({stage_of("hearer", moments("a")), seer}), clock);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("hearer looks at sound and seer at pictures"));
  EXPECT_FALSE(make_pipeline_kind({}, clock));
}

TEST(Pipeline, AnErrorNamesItsStage) {
  for (bool waits : {false, true}) {
    PipelineRun run(pipeline_of({stage_of(
        "broken",
        [](std::int64_t) -> Result<std::vector<Finding>> { return fail(ErrorCode::kInternal, "no model"); },
        {}, 0s, waits)}));
    auto taken = run.show(0);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().message, "stage broken: no model");
  }
}

// ---- branches

// Lets a stage answer when it is told to.
class Turnstile {
 public:
  Script script(const std::string& class_name) {
    return [this, class_name](std::int64_t number) -> Result<std::vector<Finding>> {
      std::unique_lock lock(mutex_);
      came_ = number;
      changed_.notify_all();
      changed_.wait(lock, [&] { return allowed_ >= number; });
      return *moments(class_name)(number);
    };
  }
  void allow(std::int64_t number) {
    std::lock_guard lock(mutex_);
    allowed_ = number;
    changed_.notify_all();
  }
  void wait_for(std::int64_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return came_ >= number; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t came_ = -1, allowed_ = -1;
};

TEST(Pipeline, BranchesThatWaitDoSoAtTheSameTime) {
  Turnstile left, right;
  auto meets = [](Turnstile& mine, Turnstile& other, const std::string& name) -> Script {
    return [&, script = mine.script(name)](std::int64_t number) {
      other.allow(number);  // each answers when the other has been asked
      return script(number);
    };
  };
  PipelineRun run(pipeline_of({stage_of("left", meets(left, right, "l"), {}, 0s, true),
                               stage_of("right", meets(right, left, "r"), {}, 0s, true)}));
  run.show_all(20);
  EXPECT_EQ(run.pictures_of("left").size(), 20u);
  EXPECT_EQ(run.pictures_of("right").size(), 20u);
  EXPECT_EQ(run.counts["left"].missed, 0);
}

TEST(Pipeline, WhoIsLateIsNamedAndNotWaitedFor) {
  Turnstile slow;
  PipelineRun run(pipeline_of(
      {stage_of("slow", slow.script("late"), {}, 0s, true), stage_of("swift", moments("person"))}, 1ms));
  ASSERT_TRUE(run.show(0));
  EXPECT_THAT(run.pictures_of("slow"), IsEmpty());
  ASSERT_EQ(run.told.size(), 2u);
  EXPECT_THAT(run.told[0].finding.incomplete, ElementsAre("slow"));
  ASSERT_TRUE(run.show(1));
  EXPECT_EQ(run.counts["slow"].shown, 1) << "it is still busy";
  EXPECT_EQ(run.counts["slow"].missed, 2);
  slow.allow(1000);
  std::int64_t number = 2;
  while (run.pictures_of("slow").empty()) ASSERT_TRUE(run.show(number++));
  EXPECT_THAT(run.pictures_of("slow"), ElementsAre(number - 1)) << "what it said of the first is not told";
  EXPECT_THAT(run.told.back().finding.incomplete, IsEmpty());
  EXPECT_TRUE(run.finish());
}

TEST(Pipeline, WithoutATimeOutEverybodyIsWaitedFor) {
  Turnstile slow;
  auto options = pipeline_of({stage_of("slow", slow.script("late"), {}, 0s, true)}, 1us);
  options.waits_for_all = true;
  PipelineRun run(options);
  std::thread helper([&] {
    slow.wait_for(0);
    slow.allow(1000);
  });
  run.show_all(3);
  helper.join();
  EXPECT_THAT(run.pictures_of("slow"), ElementsAre(0, 1, 2));
}

// Whatever the graph, and whoever waits: each stage tells of exactly the pictures that it is to see, in their
// order, and of a picture the stages tell in theirs.
TEST(Pipeline, OrderAndCompletenessHoldForRandomGraphs) {
  std::mt19937 chance(20261123);
  for (int round = 0; round < 40; ++round) {
    auto stages = 1 + chance() % 6;
    constexpr std::int64_t kPictures = 25;
    std::vector<Stage> graph;
    std::vector<std::vector<bool>> wanted;  // by stage and picture
    for (std::size_t i = 0; i < stages; ++i) {
      auto after = i > 0 && chance() % 3 != 0 ? std::optional<std::size_t>(chance() % i) : std::nullopt;
      std::vector<bool> finds(kPictures);
      for (std::int64_t n = 0; n < kPictures; ++n) finds[static_cast<std::size_t>(n)] = chance() % 2 == 0;
      std::vector<bool> tells(kPictures);
      for (std::size_t n = 0; n < finds.size(); ++n) tells[n] = finds[n] && (!after || wanted[*after][n]);
      wanted.push_back(tells);
      auto script = [finds](std::int64_t number) {
        return finds[static_cast<std::size_t>(number)] ? *moments("it")(number) : std::vector<Finding>{};
      };
      graph.push_back(stage_of("s" + std::to_string(i), script, after, 0s, chance() % 2 == 0));
    }
    PipelineRun run(pipeline_of(graph));
    run.show_all(kPictures);
    ASSERT_TRUE(run.finish());
    for (std::size_t i = 0; i < stages; ++i) {
      std::vector<std::int64_t> expected;
      for (std::int64_t n = 0; n < kPictures; ++n) {
        if (wanted[i][static_cast<std::size_t>(n)]) expected.push_back(n);
      }
      EXPECT_EQ(run.pictures_of("s" + std::to_string(i)), expected);
    }
    auto in_order = [](const Told& a, const Told& b) {
      return std::pair(a.picture, a.finding.finder->name) < std::pair(b.picture, b.finding.finder->name);
    };
    EXPECT_TRUE(std::is_sorted(run.told.begin(), run.told.end(), in_order));
  }
}

}  // namespace
}  // namespace gopline::analyzer
