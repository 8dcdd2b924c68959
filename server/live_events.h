#pragma once
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/stop_signal.h"
#include "common/http/message.h"
#include "server/access/access.h"
#include "server/stream_catalog.h"

namespace gopline::server {

// Server-sent events (HTML, 9.2) for all who listen: `streams`, with those that changed as /api/streams has
// them, at most twice a second; a comment when nothing changed for a while, so that a client that has gone is
// noticed. A slow client gets what is newest when it is ready, and nothing is queued for it. Thread-safe.
class LiveEvents {
 public:
  // Both outlive it. `transcodes`: as streams_json().
  LiveEvents(StreamCatalog& catalog, const Clock& clock, bool transcodes);
  ~LiveEvents();  // stop()

  // Of the streams that are `viewer`'s to see.
  std::shared_ptr<http::BodySource> listen(ViewerPtr viewer);

  // Joins its thread: nobody is told anything any more.
  void stop();

 private:
  class Client;
  struct State;
  void run(const StopToken& stop);

  StreamCatalog& catalog_;
  const Clock& clock_;
  const bool transcodes_;
  std::shared_ptr<State> state_;
  std::shared_ptr<void> subscription_;
  std::jthread thread_;
};

}  // namespace gopline::server
