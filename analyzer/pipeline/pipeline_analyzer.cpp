#include "analyzer/pipeline/pipeline_analyzer.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/ranges.h>

#include "analyzer/pipeline/branch.h"
#include "analyzer/pipeline/frame_join.h"
#include "analyzer/pipeline/stage_book.h"
#include "common/base/logging.h"
#include "common/bytes/digest.h"

namespace gopline::analyzer {
namespace {

constexpr std::size_t kMostStages = 16;

// A stage, and what the pipeline as a whole says of it.
struct PlannedStage {
  Stage stage;
  record::AnalyzerIdentity identity;
  std::uint32_t choice = ~0U;  // the bit of Frame::choices that is its own
};

struct Plan {
  std::vector<PlannedStage> stages;
  std::optional<Duration> patience;
  bool is_sound = false;
};

// One stage of a run.
struct StageRun {
  enum class State {
    kUndecided,  // the stage that decides has not answered
    kQueued,     // to be shown the picture; it is busy with one before
    kShown,      // has not answered
    kSettled,    // has, or will not be asked
  };

  StageRun(const PlannedStage& its_plan, std::size_t number, std::size_t stages)
      : plan(its_plan),
        gate(its_plan.stage.hold),
        book(static_cast<std::int64_t>(number), static_cast<std::int64_t>(stages)) {}
  bool is_branch() const { return plan.stage.kind->wishes().waits; }

  const PlannedStage& plan;
  std::unique_ptr<Analyzer> analyzer;  // made when it is needed; of a branch in there
  std::unique_ptr<Branch> branch;
  Gate gate;
  StageBook book;
  State state = State::kUndecided;
  std::vector<Finding> said, told;  // at this picture
  StageCount count;
};

class PipelineAnalyzer final : public Analyzer {
 public:
  PipelineAnalyzer(const Plan& plan, const Clock& clock, std::string stream)
      : plan_(plan), clock_(clock), stream_(std::move(stream)), join_(plan.patience) {
    runs_.reserve(plan.stages.size());
    for (const auto& stage : plan.stages) runs_.emplace_back(stage, runs_.size(), plan.stages.size());
  }

  Result<void> take(const Frame& frame, FindingSink& sink) override {
    join_.begin(clock_.steady_now());
    converted_.clear();
    for (auto& run : runs_) run.state = StageRun::State::kUndecided;
    for (;;) {
      GOPLINE_TRY(collect());
      GOPLINE_ASSIGN(bool moved, advance_all(frame));
      if (moved) continue;
      if (std::ranges::all_of(runs_, [](const auto& run) { return run.state == StageRun::State::kSettled; }))
        break;
      if (join_.is_over(clock_.steady_now())) {
        give_up(frame);
      } else {
        answers_.wait(join_.time_left(clock_.steady_now()));
      }
    }
    tell(sink);
    return {};
  }

  Result<void> finish(FindingSink& sink) override {
    while (std::ranges::any_of(runs_, [](const auto& run) { return run.branch && run.branch->is_busy(); })) {
      answers_.wait(std::nullopt);
      GOPLINE_TRY(collect());
    }
    join_.begin(clock_.steady_now());
    for (auto& run : runs_) {
      auto* analyzer = run.branch ? &run.branch->analyzer() : run.analyzer.get();
      FindingList said;
      if (analyzer) GOPLINE_TRY(analyzer->finish(said));
      add(run.told, run.book.take(said.take()));
      add(run.told, run.book.end_all());
    }
    tell(sink);
    return {};
  }

  StageCounts take_counts() override {
    StageCounts counts;
    for (auto& run : runs_) counts[run.plan.stage.name] = std::exchange(run.count, {});
    return counts;
  }

 private:
  using State = StageRun::State;

  static void add(std::vector<Finding>& to, std::vector<Finding> from) {
    std::ranges::move(from, std::back_inserter(to));
  }

  // What branches have said meanwhile.
  Result<void> collect() {
    while (auto answer = answers_.take()) {
      auto& run = runs_[answer->branch];
      run.branch->taken();
      GOPLINE_TRY(of_stage(run, std::move(answer->result)));
      if (join_.answer(answer->branch, answer->ticket)) {
        settle(run, std::move(answer->findings));
      } else {
        add(run.told, run.book.take_late(std::move(answer->findings)));
      }
    }
    return {};
  }

  static Result<void> of_stage(const StageRun& run, Result<void> result) {
    if (result) return result;
    return fail_with_context("stage " + run.plan.stage.name, std::move(result.error()));
  }

  // Those first that go on by themselves, then one of the others: so all look at the same time who can.
  Result<bool> advance_all(const Frame& frame) {
    bool moved = false;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (!runs_[i].is_branch()) continue;
      GOPLINE_ASSIGN(bool its, advance(i, frame));
      moved = moved || its;
    }
    for (std::size_t i = 0; i < runs_.size() && !moved; ++i) {
      if (runs_[i].is_branch()) continue;
      GOPLINE_ASSIGN(moved, advance(i, frame));
    }
    return moved;
  }

  // Whether it got any further.
  Result<bool> advance(std::size_t number, const Frame& frame) {
    auto& run = runs_[number];
    if (run.state == State::kQueued && !run.branch->is_busy()) {
      GOPLINE_TRY(give(run, frame));
      return true;
    }
    if (run.state != State::kUndecided) return false;
    const auto& stage = run.plan.stage;
    if (stage.after && runs_[*stage.after].state != State::kSettled) return false;
    bool is_chosen = (frame.choices & run.plan.choice) != 0;
    if (!is_routed(run, frame)) {
      if (is_chosen) ++run.count.passed_over;
      add(run.told, run.book.end_all());
      run.state = State::kSettled;
    } else if (!is_chosen) {
      run.state = State::kSettled;
    } else {
      GOPLINE_TRY(show(number, frame));
    }
    return true;
  }

  bool is_routed(StageRun& run, const Frame& frame) {
    const auto& stage = run.plan.stage;
    if (!stage.after) return true;
    const auto& decider = runs_[*stage.after];
    auto meets = [&](const Finding& one) { return is_any_met(stage.when, one); };
    bool met = std::ranges::any_of(decider.book.open(), [&](const auto& one) { return meets(one.second); }) ||
               std::ranges::any_of(decider.said, [&](const Finding& one) {
                 return one.phase != record::EventPhase::kEnd && meets(one);
               });
    return run.gate.look(frame.time, met);
  }

  Result<void> show(std::size_t number, const Frame& frame) {
    auto& run = runs_[number];
    if (!run.branch && !run.analyzer) {
      GOPLINE_ASSIGN(run.analyzer, run.plan.stage.kind->make(stream_));
      if (run.is_branch()) run.branch = std::make_unique<Branch>(number, std::move(run.analyzer), answers_);
    }
    join_.expect(number);
    if (run.branch && run.branch->is_busy()) {
      run.state = State::kQueued;
      return {};
    }
    return give(run, frame);
  }

  Result<void> give(StageRun& run, const Frame& frame) {
    auto its = frame;
    if (!plan_.is_sound) {
      GOPLINE_ASSIGN(its.picture, as_wished(run.plan.stage.kind->wishes().picture, frame));
    }
    ++run.count.shown;
    run.state = State::kShown;
    if (run.branch) {
      run.branch->give(join_.ticket(), std::move(its));
      return {};
    }
    FindingList said;
    GOPLINE_TRY(of_stage(run, run.analyzer->take(its, said)));
    join_.answer(static_cast<std::size_t>(&run - runs_.data()), join_.ticket());
    settle(run, said.take());
    return {};
  }

  // Who wants the same of a picture gets the same.
  Result<media::Picture> as_wished(const media::PictureWish& wish, const Frame& frame) {
    auto same = [&](const auto& one) { return one.first == wish; };
    if (auto found = std::ranges::find_if(converted_, same); found != converted_.end()) return found->second;
    auto converter = std::ranges::find_if(converters_, same);
    if (converter == converters_.end())
      converter = converters_.emplace(converters_.end(), wish, media::PictureConverter(wish));
    GOPLINE_ASSIGN(auto picture, converter->second.convert(frame.decoded));
    converted_.emplace_back(wish, picture);
    return picture;
  }

  void settle(StageRun& run, std::vector<Finding> said) {
    run.said = run.book.take(std::move(said));
    add(run.told, run.said);
    run.state = State::kSettled;
  }

  void give_up(const Frame& frame) {
    join_.give_up();
    for (auto& run : runs_) {
      if (run.state != State::kQueued && run.state != State::kShown) continue;
      run.state = State::kSettled;
      ++run.count.missed;
    }
    log_warning(stream_, "epoch {}, segment {}, frame {}: {} did not answer in time; goes on without",
                frame.epoch, frame.segment, frame.number, fmt::join(names_of_missing(), ", "));
  }

  std::vector<std::string> names_of_missing() const {
    std::vector<std::string> names;
    for (auto number : join_.missing()) names.push_back(plan_.stages[number].stage.name);
    return names;
  }

  void tell(FindingSink& sink) {
    auto incomplete = names_of_missing();
    for (auto& run : runs_) {
      run.said.clear();
      for (auto& finding : std::exchange(run.told, {})) {
        if (!run.plan.stage.tells) continue;
        finding.finder = &run.plan.identity;
        finding.incomplete = incomplete;
        sink.tell(std::move(finding));
      }
    }
  }

  const Plan& plan_;
  const Clock& clock_;
  const std::string stream_;
  FrameJoin join_;
  std::vector<std::pair<media::PictureWish, media::PictureConverter>> converters_;
  std::vector<std::pair<media::PictureWish, media::Picture>> converted_;  // of this picture
  BranchAnswers answers_;
  std::vector<StageRun> runs_;  // last: branches put answers until they are gone
};

class PipelineKind final : public AnalyzerKind {
 public:
  PipelineKind(record::AnalyzerIdentity identity, Wishes wishes, Plan plan, const Clock& clock)
      : AnalyzerKind(std::move(identity), std::move(wishes)), plan_(std::move(plan)), clock_(clock) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string& stream) const override {
    return std::make_unique<PipelineAnalyzer>(plan_, clock_, stream);
  }

 private:
  const Plan plan_;
  const Clock& clock_;
};

// Everything that what is found depends on.
std::string digest_of(const PipelineOptions& options) {
  std::string all;
  auto add = [&](std::string_view text) { all += fmt::format("{}:{}\n", text.size(), text); };
  for (const auto& stage : options.stages) {
    const auto& identity = stage.kind->identity();
    for (const auto& text : {stage.name, identity.name, identity.version, identity.configuration}) add(text);
    auto frames = stage.frames.value_or(stage.kind->wishes().frames);
    add(fmt::format("{} {} {} {} {} {}", static_cast<int>(frames.kind), frames.rate.num, frames.rate.den,
                    stage.after ? static_cast<int>(*stage.after) : -1, stage.hold.count(), stage.tells));
    for (const auto& condition : stage.when) {
      add(fmt::format("{}", condition.least_score));
      for (const auto& text : condition.classes) add("class " + text);
      for (const auto& text : condition.zones) add("zone " + text);
    }
  }
  add(options.join_patience ? fmt::format("{}", options.join_patience->count()) : "all");
  return xxh3_hex(std::span(reinterpret_cast<const std::uint8_t*>(all.data()), all.size()));
}

// The bit by which a stage finds its pictures, of choices that stages with the same one share.
std::uint32_t choice_of(const Stage& stage, std::vector<FrameChoice>& choices) {
  auto wanted = stage.frames.value_or(stage.kind->wishes().frames);
  auto found = std::ranges::find(choices, wanted);
  if (found == choices.end()) found = choices.insert(found, wanted);
  return 1U << (found - choices.begin());
}

Duration warm_up_of(const std::vector<Stage>& stages) {
  std::vector<Duration> sums;
  for (const auto& stage : stages) {
    auto before = stage.after ? sums[*stage.after] + stage.hold : Duration::zero();
    sums.push_back(before + stage.kind->wishes().warm_up);
  }
  return *std::ranges::max_element(sums);
}

}  // namespace

Result<std::unique_ptr<AnalyzerKind>> make_pipeline_kind(PipelineOptions options, const Clock& clock) {
  if (options.stages.empty() || options.stages.size() > kMostStages)
    return fail(ErrorCode::kInvalidArgument, "a pipeline has 1 to {} stages", kMostStages);
  const auto& first = options.stages.front();
  for (const auto& stage : options.stages) {
    if (stage.kind->wishes().sound_channels == first.kind->wishes().sound_channels) continue;
    return fail(ErrorCode::kInvalidArgument,
                "{} looks at {} and {} at {}: a pipeline has one of both, so write two", first.name,
                first.kind->wishes().sound_channels ? "sound" : "pictures", stage.name,
                stage.kind->wishes().sound_channels ? "sound" : "pictures");
  }
  record::AnalyzerIdentity identity{options.name, "1", digest_of(options)};
  Wishes wishes;
  wishes.sound_channels = first.kind->wishes().sound_channels;
  wishes.warm_up = warm_up_of(options.stages);
  Plan plan;
  plan.patience = options.waits_for_all ? std::nullopt : options.join_patience;
  plan.is_sound = wishes.sound_channels.has_value();
  std::vector<FrameChoice> choices;
  for (auto& stage : options.stages) {
    PlannedStage planned;
    planned.choice = choice_of(stage, choices);
    planned.identity = {stage.name, stage.kind->identity().version, identity.configuration};
    planned.stage = std::move(stage);
    plan.stages.push_back(std::move(planned));
  }
  wishes.frames = choices.front();
  wishes.more_frames.assign(choices.begin() + 1, choices.end());
  return std::make_unique<PipelineKind>(std::move(identity), std::move(wishes), std::move(plan), clock);
}

}  // namespace gopline::analyzer
