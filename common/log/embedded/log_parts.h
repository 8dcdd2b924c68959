#pragma once
#include <memory>
#include <mutex>

#include "common/log/embedded/embedded_log.h"
#include "common/log/embedded/payload_reader.h"
#include "common/log/embedded/tail.h"

namespace gopline::embedded {

// What one open log and its readers share.
struct LogParts {
  explicit LogParts(EmbeddedLogOptions given)
      : options(std::move(given)), payload(options.file_system, options.directory) {}

  const EmbeddedLogOptions options;
  std::mutex write_turn;
  PayloadReader payload;
  std::unique_ptr<Tail> tail;
};

}  // namespace gopline::embedded
