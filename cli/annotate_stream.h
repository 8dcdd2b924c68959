#pragma once
#include <functional>
#include <optional>
#include <string>

#include "aggregator/follow_stream.h"
#include "aggregator/selection.h"
#include "cli/annotations.h"
#include "cli/annotator.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/catalog/event_feed.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"

namespace gopline::cli {

struct AnnotateOptions {
  aggregator::Selection selection;
  std::string target;  // the stream that is made
  payload::BlobSource* blobs = nullptr;
};

// Stored footage, with what was found in it drawn into its pictures, as a stream of its own (Annotator).
Result<AnnotateReport> annotate_stored(Log& log, const Clock& clock, const Annotations& annotations,
                                       const AnnotateOptions& options, const StopToken& stop);

struct LiveAnnotateOptions {
  AnnotateOptions what;  // selection.from: where to begin; nothing: from now on
  // So long after its capture a segment is drawn: what is told of it by then is in its pictures.
  Duration delay = std::chrono::seconds(5);
  std::optional<Timestamp> until;
  StopToken give_up;  // later than the stop: what was read is not even written any more
  std::function<void()> on_ready;
};

struct LiveAnnotateReport {
  AnnotateReport drawn;
  std::int64_t events = 0;   // begun
  std::int64_t late = 0;     // words of events that came when their pictures had been drawn
  bool interrupted = false;  // somebody asked to stop, before `until`
  aggregator::FollowStats stats;
};

// A stream while it is made. `feed`: where events come from; those that it has read are in `annotations`. A
// stop ends what is drawn, which is whole as far as it goes.
Result<LiveAnnotateReport> annotate_live(Log& log, const Clock& clock, catalog::EventFeed& feed,
                                         Annotations& annotations, const LiveAnnotateOptions& options,
                                         const StopToken& stop);

}  // namespace gopline::cli
