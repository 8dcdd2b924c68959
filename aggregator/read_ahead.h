#pragma once
#include <memory>
#include <optional>
#include <thread>

#include "aggregator/stream_item.h"
#include "aggregator/stream_reader.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"

namespace gopline::aggregator {

// Runs a StreamReader on a thread of its own, a bounded amount of memory ahead: reading and verifying
// the next segments goes on while the one before is written. next() is for one consumer thread.
class ReadAhead {
 public:
  ReadAhead(StreamReader& reader, std::size_t max_bytes);
  ~ReadAhead();  // stops and joins the thread

  // Waits for the next item; nullopt at the end.
  Result<std::optional<StreamItem>> next();

  // After the end: what the reader counted.
  StreamReaderStats finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::jthread thread_;
};

}  // namespace gopline::aggregator
