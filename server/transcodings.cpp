#include "server/transcodings.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

namespace gopline::server {
namespace {

constexpr std::size_t kMostJobs = 64;

Transcodings::Made made_by(const Transcodings::Make& make, const Transcodings::IsWanted& is_wanted) {
  try {
    return make(is_wanted);
  } catch (const std::exception& thrown) {
    return fail(ErrorCode::kInternal, "{}", thrown.what());
  }
}

}  // namespace

void Transcodings::get(const Key& key, Make make, StopToken gone, Then then) {
  Made now = fail(ErrorCode::kCancelled, "stopped");
  {
    std::lock_guard lock(mutex_);
    auto kept = by_key_.find(key);
    auto job = jobs_.find(key);
    if (kept != by_key_.end()) {
      used_.splice(used_.begin(), used_, kept->second);
      now = kept->second->second;
    } else if (job != jobs_.end()) {
      job->second->waiting.push_back({std::move(gone), std::move(then)});
      return;
    } else if (jobs_.size() >= kMostJobs) {
      now = fail(ErrorCode::kUnavailable, "too much is transcoded at once; try again");
    } else if (!is_stopped_) {
      auto begun = std::make_shared<Job>();
      begun->make = std::move(make);
      begun->waiting.push_back({std::move(gone), std::move(then)});
      jobs_[key] = begun;
      metrics_.count_waiting_transcodings(1);
      boost::asio::post(threads_, [this, key, begun] { run(key, *begun); });
      return;
    }
  }
  then(std::move(now));
}

bool Transcodings::is_wanted_now(const Job& job) const {
  return !is_stopped_ && std::any_of(job.waiting.begin(), job.waiting.end(),
                                     [](const Waiting& one) { return !one.gone.stop_requested(); });
}

bool Transcodings::is_wanted(const Job& job) {
  std::lock_guard lock(mutex_);
  return is_wanted_now(job);
}

void Transcodings::run(const Key& key, Job& job) {
  metrics_.count_waiting_transcodings(-1);
  metrics_.count_running_transcodings(1);
  std::vector<Waiting> waiting;
  Made made = fail(ErrorCode::kCancelled, "nobody waits for it any more");
  for (bool is_over = false; !is_over;) {
    if (is_wanted(job)) made = made_by(job.make, [this, &job] { return is_wanted(job); });
    std::lock_guard lock(mutex_);
    bool was_cut_off = !made && made.error().code == ErrorCode::kCancelled;
    is_over = !was_cut_off || !is_wanted_now(job);  // else somebody has come who wants it after all
    if (!is_over) continue;
    if (was_cut_off) metrics_.count_abandoned_transcoding();
    waiting = std::move(job.waiting);
    jobs_.erase(key);
    if (made) keep(key, *made);
  }
  metrics_.count_running_transcodings(-1);
  for (auto& one : waiting) one.then(made);
}

void Transcodings::keep(const Key& key, std::shared_ptr<const BufferChain> made) {
  bytes_ += made->size();
  used_.emplace_front(key, std::move(made));
  by_key_[key] = used_.begin();
  while (bytes_ > most_bytes_ && used_.size() > 1) {
    bytes_ -= used_.back().second->size();
    by_key_.erase(used_.back().first);
    used_.pop_back();
  }
}

void Transcodings::stop() {
  {
    std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  threads_.join();
}

}  // namespace gopline::server
