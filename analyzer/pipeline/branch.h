#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "analyzer/analyzer.h"
#include "common/base/clock.h"
#include "common/base/result.h"

namespace gopline::analyzer {

// Keeps what an analyzer says.
class FindingList final : public FindingSink {
 public:
  void tell(Finding finding) override { findings_.push_back(std::move(finding)); }
  std::vector<Finding> take() { return std::exchange(findings_, {}); }

 private:
  std::vector<Finding> findings_;
};

// What a branch says of the picture that it was given with a ticket.
struct BranchAnswer {
  std::size_t branch = 0;
  std::int64_t ticket = 0;
  Result<void> result;
  std::vector<Finding> findings;
};

// Where branches put their answers: one each at most. Thread-safe.
class BranchAnswers {
 public:
  void put(BranchAnswer answer);
  std::optional<BranchAnswer> take();
  // Until there is one, or it has taken so long (nullopt: for ever).
  void wait(std::optional<Duration> at_most);

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<BranchAnswer> answers_;
};

// An analyzer that looks beside others, on a thread of its own: for one that waits for another process. It
// has one picture at a time, so nothing queues. Used by one thread.
class Branch {
 public:
  Branch(std::size_t number, std::unique_ptr<Analyzer> analyzer, BranchAnswers& answers);
  ~Branch();  // waits for the answer that is due
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;

  // Between give() and taken() it is busy.
  bool is_busy() const { return busy_; }
  void give(std::int64_t ticket, Frame frame);
  void taken() { busy_ = false; }              // its answer
  Analyzer& analyzer() { return *analyzer_; }  // not while it is busy

 private:
  void work();

  const std::size_t number_;
  std::unique_ptr<Analyzer> analyzer_;
  BranchAnswers& answers_;
  bool busy_ = false;
  std::mutex mutex_;
  std::condition_variable given_;
  std::optional<std::pair<std::int64_t, Frame>> job_;
  bool ends_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace gopline::analyzer
