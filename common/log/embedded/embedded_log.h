#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/log/embedded/file_system.h"
#include "common/log/log.h"

namespace gopline {

struct EmbeddedLogOptions {
  std::string directory;
  bool create_if_missing = true;
  // Changes nothing in the directory: no recovery, no writers, no groups. For looking at a log, also one on
  // read-only media.
  bool read_only = false;
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();  // retention, group sessions
  std::shared_ptr<FileSystem> file_system = make_posix_file_system();
  // A payload file is closed when it has grown to this; the unit in which retention gives disk space back.
  std::uint64_t payload_file_bytes = 256 << 20;
  // Values up to this size live in the catalogue.
  std::size_t inline_bytes = 4096;
  std::uint64_t max_record_bytes = 256 << 20;
  std::chrono::milliseconds busy_timeout{30'000};  // how long another process may hold the catalogue
};

// Opens the log in a directory (layout: README.md in this folder); any number of processes may have it open.
// What a crash left behind is repaired first. kNotFound: no log there and none to be created.
// kInvalidArgument: a directory with something else in it. kUnsupported: written by a newer version.
// kCorrupt: the catalogue is damaged. Readers and writers must be gone before the log is.
Result<std::unique_ptr<Log>> open_embedded_log(EmbeddedLogOptions options);

}  // namespace gopline
