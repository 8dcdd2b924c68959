#pragma once
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/http/message.h"
#include "common/http/request_target.h"
#include "server/access/access.h"
#include "server/entry_cache.h"
#include "server/found_events.h"
#include "server/stream_catalog.h"

namespace gopline::server {

// What lies under /api/, but for the events. Blocks while the log is read. Thread-safe.
class ApiRoutes {
 public:
  // All outlive it. `transcodes`: as streams_json().
  ApiRoutes(StreamCatalog& catalog, EntryCache& entries, FoundEvents& found, const Clock& clock,
            bool transcodes)
      : catalog_(catalog), entries_(entries), found_(found), clock_(clock), transcodes_(transcodes) {}

  Result<http::Response> answer(const http::RequestTarget& target, const Viewer& viewer,
                                const StopToken& stop);

 private:
  http::Response streams(const Viewer& viewer) const;
  http::Response health(const Viewer& viewer) const;
  Result<http::Response> timeline(const std::string& stream, const http::RequestTarget& target,
                                  const StopToken& stop);
  Result<http::Response> found(const std::string& stream, const http::RequestTarget& target);

  StreamCatalog& catalog_;
  EntryCache& entries_;
  FoundEvents& found_;
  const Clock& clock_;
  const bool transcodes_;
};

}  // namespace gopline::server
