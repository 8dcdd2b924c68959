#include "cli/fleet.h"

#include <algorithm>

namespace gopline::cli {

Fleet::~Fleet() {
  finish();
}

Fleet::Change Fleet::take(const std::vector<CameraConfig>& cameras) {
  Change change;
  auto wanted = [&](const Run& run) {
    return std::ranges::find(cameras, run.task.stream, [](const auto& c) { return c.split.stream; });
  };
  std::vector<Run*> ending;
  for (auto& run : runs_) {
    auto camera = wanted(*run);
    if (camera != cameras.end() && camera->words == run->words) continue;
    (camera == cameras.end() ? change.stopped : change.restarted).push_back(run->task.stream);
    run->stop.request_stop();  // all at once: each may take a moment
    ending.push_back(run.get());
  }
  for (auto* run : ending) end(*run);
  std::erase_if(runs_, [&](const auto& run) { return std::ranges::count(ending, run.get()) > 0; });
  for (const auto& camera : cameras) {
    bool runs =
        std::ranges::any_of(runs_, [&](const auto& r) { return r->task.stream == camera.split.stream; });
    if (runs) continue;
    if (std::ranges::count(change.restarted, camera.split.stream) == 0)
      change.started.push_back(camera.split.stream);
    start(camera, splitter::share_of_waiting_bytes(cameras.size()));
  }
  return change;
}

void Fleet::start(const CameraConfig& camera, std::uint64_t waiting_bytes) {
  auto& run = *runs_.emplace_back(std::make_unique<Run>());
  run.words = camera.words;
  run.task.source = camera.split.source;
  run.task.stream = camera.split.stream;
  SourcePlan plan{camera.split, {}, camera.login};
  if (camera.is_live) {
    plan.live = camera.live;
    plan.live->max_waiting_bytes = plan.live->max_waiting_bytes.value_or(waiting_bytes);
  }
  auto line = board_.add(run.task.stream);
  {
    std::lock_guard lock(mutex_);
    ++running_;
  }
  run.thread = std::thread([this, &run, plan = std::move(plan), line] {
    run_source(log_, plan, clock_, run.stop.get_token(), board_, line, telemetry_, run.task);
    std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_all();
  });
}

void Fleet::end(Run& run) {
  run.stop.request_stop();
  run.thread.join();
  ended_.push_back(std::move(run.task));
}

Fleet::Wake Fleet::wait(const StopToken& stop, Duration most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, most, [&] { return running_ == 0 || woken_; });
  if (stop.stop_requested()) return Wake::kStopped;
  if (running_ == 0) return Wake::kAllEnded;
  return std::exchange(woken_, false) ? Wake::kWoken : Wake::kTime;
}

void Fleet::wake() {
  std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

std::deque<SplitTask> Fleet::finish() {
  for (auto& run : runs_) run->stop.request_stop();
  for (auto& run : runs_) end(*run);
  runs_.clear();
  return std::move(ended_);
}

}  // namespace gopline::cli
