#include "cli/split_run.h"

#include <thread>

namespace gopline::cli {
namespace {

ProgressState progress_of(const splitter::SplitProgress& progress) {
  ProgressState state{progress.bytes, std::nullopt, progress.media_time};
  auto ratio = [](auto part, auto whole) { return static_cast<double>(part) / static_cast<double>(whole); };
  if (progress.media_duration && progress.media_duration->count() > 0) {
    state.fraction = ratio(progress.media_time.count(), progress.media_duration->count());
  } else if (progress.source_size && *progress.source_size > 0) {
    state.fraction = ratio(progress.source_bytes, *progress.source_size);
  }
  return state;
}

// Splits one source and books how it went. Runs on the source's own thread.
void run_task(Log& log, const splitter::SplitOptions& common, const LiveSources& live,
              const Environment& environment, ProgressBoard& board, std::size_t line, SplitTask& task) {
  auto options = common;
  options.source = task.source;
  options.stream = task.stream;
  auto started = environment.clock.steady_now();
  auto on_progress = [&](const splitter::SplitProgress& progress) {
    task.progress = progress;
    board.update(line, progress_of(progress));
  };
  task.is_live = live.all || splitter::is_live_url(task.source);
  auto result = [&] {
    if (!task.is_live) return splitter::split(log, environment.clock, options, on_progress, environment.stop);
    if (live.login && splitter::is_live_url(task.source))
      options.source = with_login(task.source, *live.login);
    splitter::LiveObserver observer;
    observer.on_progress = [&](const splitter::LiveProgress& progress) { on_progress(progress.written); };
    return splitter::split_live(log, environment.clock, options, live.options, observer, environment.stop);
  }();
  task.elapsed = std::chrono::duration_cast<Duration>(environment.clock.steady_now() - started);
  if (result) {
    task.report = std::move(*result);
    task.error = task.report->source_error;
  } else {
    task.error = std::move(result.error());
  }
  if (task.has_failed()) board.message("gopline: " + failure_message(task));
  board.finish(line, outcome_word(task));
}

}  // namespace

std::deque<SplitTask> split_all(Log& log, const splitter::SplitOptions& common, const LiveSources& live,
                                const std::vector<NamedSource>& sources, const Environment& environment,
                                ProgressBoard& board) {
  std::deque<SplitTask> tasks;
  std::vector<std::jthread> threads;
  for (const auto& source : sources) {
    auto& task = tasks.emplace_back(SplitTask{source.source, source.stream, {}, {}, {}, {}, false});
    auto line = board.add(task.stream);
    threads.emplace_back([&, line] { run_task(log, common, live, environment, board, line, task); });
  }
  threads.clear();  // joins
  return tasks;
}

}  // namespace gopline::cli
