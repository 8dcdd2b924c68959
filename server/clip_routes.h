#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/http/message.h"
#include "server/clip_source.h"

namespace gopline::server {

// clip.mp4, made as it is sent, and clip.json, what it is made of. A clip's size is known once it has been
// made: for clip.json, or for whoever asks for a part of it, which takes as long as reading it all does.
// Thread-safe.
class ClipRoutes {
 public:
  // All outlive it. `run`: runs a task on another thread.
  ClipRoutes(Log& log, payload::BlobSource& blobs, ClipSource::Run run)
      : log_(log), blobs_(blobs), run_(std::move(run)) {}

  Result<http::Response> clip(const ClipRequest& clip, const http::Request& request, const StopToken& stop);
  Result<http::Response> facts(const ClipRequest& clip, const StopToken& stop);

 private:
  using FactsPtr = std::shared_ptr<const ClipFacts>;

  FactsPtr known(const std::string& tag);
  Result<FactsPtr> survey(const ClipRequest& clip, const StopToken& stop);

  Log& log_;
  payload::BlobSource& blobs_;
  const ClipSource::Run run_;
  std::mutex mutex_;
  std::list<std::pair<std::string, FactsPtr>> known_;  // by tag, the newest first
};

}  // namespace gopline::server
