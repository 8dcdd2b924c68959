#pragma once
#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace gopline::analyzer {

struct ProgramOptions {
  std::string command;                           // a shell's
  Duration patience = std::chrono::seconds(10);  // for one answer
  std::size_t most_answer_bytes = 1 << 20;
  std::string subject;  // of log lines: what it writes to standard error
};

// A program that is asked and answers line by line. It runs in a process group of its own, which is killed
// with it: whoever it has started does not outlive it. Waiting is in real time. Not thread-safe.
class Program {
 public:
  static Result<std::unique_ptr<Program>> start(ProgramOptions options);
  ~Program();  // closes its input; what has not ended a moment later is killed
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Writes the question and returns the one line that answers it, without its end. kUnavailable: it did not
  // answer in time, has ended (the message says how), said more than one line or too long a one. After an
  // error it is not asked again.
  Result<std::string> ask(std::span<const std::uint8_t> question);

 private:
  struct Pipes;
  explicit Program(ProgramOptions options);
  Result<void> spawn();
  Result<void> wait_and_move(std::span<const std::uint8_t>& question,
                             std::chrono::steady_clock::time_point until);
  Result<void> read_answer();
  void read_complaints();
  tl::unexpected<Error> has_ended();
  bool wait_for_end(Duration patience);

  ProgramOptions options_;
  std::unique_ptr<Pipes> pipes_;
  int child_ = -1;  // -1: none, or it has ended
  std::string answer_, complaint_;
};

}  // namespace gopline::analyzer
