#include "cli/split_run.h"

#include <thread>

#include "cli/live_row.h"

namespace gopline::cli {
namespace {

ProgressState progress_of(const splitter::SplitProgress& progress) {
  ProgressState state{progress.bytes, std::nullopt, progress.media_time, ""};
  auto ratio = [](auto part, auto whole) { return static_cast<double>(part) / static_cast<double>(whole); };
  if (progress.media_duration && progress.media_duration->count() > 0) {
    state.fraction = ratio(progress.media_time.count(), progress.media_duration->count());
  } else if (progress.source_size && *progress.source_size > 0) {
    state.fraction = ratio(progress.source_bytes, *progress.source_size);
  }
  return state;
}

}  // namespace

SourcePlan plan_of(const NamedSource& source, const splitter::SplitOptions& common, const LiveSources& live) {
  SourcePlan plan{common, {}, live.login};
  plan.split.source = source.source;
  plan.split.stream = source.stream;
  plan.images = image_options_of(live.pictures, source.source);
  if (!plan.images && (live.all || splitter::is_live_url(source.source))) plan.live = live.options;
  return plan;
}

void run_source(Log& log, const SourcePlan& plan, const Clock& clock, StopToken stop, ProgressBoard& board,
                std::size_t line, Telemetry& telemetry, SplitTask& task) {
  auto started = clock.steady_now();
  auto on_progress = [&](const splitter::SplitProgress& progress) {
    task.progress = progress;
    board.update(line, progress_of(progress));
  };
  task.is_live = plan.live.has_value();
  auto result = [&] {
    if (plan.images) return splitter::split_images(log, clock, plan.split, *plan.images, on_progress, stop);
    if (!plan.live) return splitter::split(log, clock, plan.split, on_progress, stop);
    auto options = plan.split;
    if (plan.login && splitter::is_live_url(options.source))
      options.source = with_login(options.source, *plan.login);
    auto live = *plan.live;
    live.stream_metrics = telemetry.stream(options.stream);
    live.source_metrics = telemetry.source(options.stream);
    LiveRow row(clock);
    splitter::LiveObserver observer;
    observer.on_status = [&](const splitter::SourceStatus& status) {
      telemetry.update(options.stream, status);
      board.update(line, row.update(status));
    };
    observer.on_progress = [&](const splitter::LiveProgress& progress) {
      task.progress = progress.written;
      board.update(line, row.update(progress));
    };
    return splitter::split_live(log, clock, options, live, observer, stop);
  }();
  telemetry.forget(plan.split.stream);
  task.elapsed = std::chrono::duration_cast<Duration>(clock.steady_now() - started);
  if (result) {
    task.report = std::move(*result);
    task.error = task.report->source_error;
  } else {
    task.error = std::move(result.error());
  }
  if (task.has_failed()) board.message("gopline: " + failure_message(task));
  board.finish(line, outcome_word(task));
}

std::deque<SplitTask> split_all(Log& log, const splitter::SplitOptions& common, const LiveSources& live,
                                const std::vector<NamedSource>& sources, const Environment& environment,
                                ProgressBoard& board, Telemetry& telemetry) {
  std::deque<SplitTask> tasks;
  std::vector<std::jthread> threads;
  auto share = splitter::share_of_waiting_bytes(sources.size());
  for (const auto& source : sources) {
    auto& task = tasks.emplace_back(SplitTask{source.source, source.stream, {}, {}, {}, {}, false});
    auto line = board.add(task.stream);
    auto plan = plan_of(source, common, live);
    if (plan.live) plan.live->max_waiting_bytes = plan.live->max_waiting_bytes.value_or(share);
    threads.emplace_back([&, line, plan = std::move(plan)] {
      run_source(log, plan, environment.clock, environment.stop, board, line, telemetry, task);
    });
  }
  threads.clear();  // joins
  return tasks;
}

}  // namespace gopline::cli
