#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "common/log/embedded/embedded_log.h"
#include "common/log/embedded/sqlite.h"

namespace gopline::embedded {

// One opening of the log for writing: a name, under which its payload files go, and a locked file that tells
// others that it lives. However the process ends, the lock ends with it, and the next opening knows whose
// leavings it may clear away.
class Session {
 public:
  static Result<std::unique_ptr<Session>> begin(std::shared_ptr<FileSystem> files,
                                                const std::string& directory);
  ~Session();  // a clean end: nothing is left for others to clear
  const std::string& name() const { return name_; }
  // An unclean one: the lock file stays, so that the next opening looks after what this one could not finish.
  void leave_for_recovery() { clean_ = false; }

 private:
  Session(std::shared_ptr<FileSystem> files, std::string path, std::string name, std::unique_ptr<File> lock)
      : files_(std::move(files)), path_(std::move(path)), name_(std::move(name)), lock_(std::move(lock)) {}
  std::shared_ptr<FileSystem> files_;
  const std::string path_, name_;
  std::unique_ptr<File> lock_;
  bool clean_ = true;
};

struct Recovery {
  bool unclean = false;           // somebody died here since the last opening
  std::size_t sealed_files = 0;   // payload files cut to what is acknowledged, and closed
  std::size_t removed_files = 0;  // payload files that nothing referred to
  std::uint64_t reclaimed_bytes = 0;
};

// Clears away what sessions that died have left: payload bytes that no row refers to, and their lock files.
// Leaves living sessions, of this process and others, alone. Any number of processes may do it at once.
Result<Recovery> recover_dead_sessions(FileSystem& files, const std::string& directory,
                                       sqlite::Database& database, std::mutex& turn);

}  // namespace gopline::embedded
