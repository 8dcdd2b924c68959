#include "splitter/live/source_status.h"

namespace gopline::splitter {

std::string_view to_string(SourceState state) {
  switch (state) {
    case SourceState::kConnecting:
      return "connecting";
    case SourceState::kLive:
      return "live";
    case SourceState::kWaiting:
      return "waiting";
    case SourceState::kStopped:
      return "stopped";
  }
  return "stopped";
}

}  // namespace gopline::splitter
