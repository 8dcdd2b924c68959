#include "analyzer/pipeline/branch.h"

#include <utility>

namespace gopline::analyzer {

void BranchAnswers::put(BranchAnswer answer) {
  {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  came_.notify_one();
}

std::optional<BranchAnswer> BranchAnswers::take() {
  std::lock_guard lock(mutex_);
  if (answers_.empty()) return std::nullopt;
  auto answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

void BranchAnswers::wait(std::optional<Duration> at_most) {
  std::unique_lock lock(mutex_);
  auto is_there = [&] { return !answers_.empty(); };
  if (at_most) {
    came_.wait_for(lock, *at_most, is_there);
  } else {
    came_.wait(lock, is_there);
  }
}

Branch::Branch(std::size_t number, std::unique_ptr<Analyzer> analyzer, BranchAnswers& answers)
    : number_(number), analyzer_(std::move(analyzer)), answers_(answers), thread_([this] { work(); }) {}

Branch::~Branch() {
  {
    std::lock_guard lock(mutex_);
    ends_ = true;
  }
  given_.notify_one();
  thread_.join();
}

void Branch::give(std::int64_t ticket, Frame frame) {
  busy_ = true;
  {
    std::lock_guard lock(mutex_);
    job_.emplace(ticket, std::move(frame));
  }
  given_.notify_one();
}

void Branch::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    given_.wait(lock, [&] { return ends_ || job_; });
    if (!job_) return;
    auto [ticket, frame] = std::move(*job_);
    job_.reset();
    lock.unlock();
    FindingList said;
    auto result = analyzer_->take(frame, said);
    answers_.put({number_, ticket, std::move(result), said.take()});
  }
}

}  // namespace gopline::analyzer
