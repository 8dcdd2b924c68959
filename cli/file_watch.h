#pragma once
#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"

namespace gopline::cli {

// Calls a function when a file has been written or replaced, by inotify on its folder: editors and
// configuration management replace files. The call comes on a thread of its own, which the destructor joins.
class FileWatch {
 public:
  static Result<std::unique_ptr<FileWatch>> start(const std::string& path, std::function<void()> on_change);
  ~FileWatch();

 private:
  struct State;
  explicit FileWatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gopline::cli
