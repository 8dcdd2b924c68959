#include "cli/annotate_stream.h"

#include <algorithm>
#include <utility>

#include "aggregator/sink.h"
#include "aggregator/stream_reader.h"
#include "common/base/logging.h"

namespace gopline::cli {
namespace {

AnnotatorOptions annotator_options(const AnnotateOptions& options) {
  return {options.selection.topic_namespace, options.selection.stream, options.target};
}

// What is played of a stream that is followed, drawn with what is known of it by then.
class LiveAnnotating final : public aggregator::Sink {
 public:
  LiveAnnotating(Annotator& annotator, catalog::EventFeed& feed, Annotations& annotations, std::string stream)
      : annotator_(annotator), feed_(feed), annotations_(annotations), stream_(std::move(stream)) {}

  Result<void> begin_epoch(const aggregator::EpochBegin& epoch) override { return annotator_.take(epoch); }

  Result<void> write(const aggregator::SegmentData& segment) override {
    GOPLINE_TRY(read_events());
    return annotator_.take(segment);
  }

  // The absence itself comes by FollowEvents.
  void note_absence() override {}
  Result<void> finish() override { return annotator_.end(record::EndCause::kStopped); }
  aggregator::SinkStats stats() const override { return {}; }

  std::int64_t events() const { return events_; }
  std::int64_t late() const { return late_; }

 private:
  // All that is there.
  Result<void> read_events() {
    // 0 would ask for an answer, however long it takes.
    constexpr auto kShortestWait = std::chrono::milliseconds(1);
    for (;;) {
      GOPLINE_ASSIGN(auto events, feed_.poll(kShortestWait));
      if (events.empty()) break;
      for (const auto& event : events) add(event);
    }
    if (auto drawn = annotator_.drawn()) annotations_.forget_before(*drawn);
    return {};
  }

  void add(const record::Detection& event) {
    if (event.phase == record::EventPhase::kStart) ++events_;
    if (auto drawn = annotator_.drawn(); drawn && event.time <= *drawn) {
      ++late_;
      log_warning(stream_,
                  "events come when their pictures have been drawn: a longer --delay waits for them");
    }
    annotations_.add(event);
  }

  Annotator& annotator_;
  catalog::EventFeed& feed_;
  Annotations& annotations_;
  const std::string stream_;
  std::int64_t events_ = 0, late_ = 0;
};

}  // namespace

Result<AnnotateReport> annotate_stored(Log& log, const Clock& clock, const Annotations& annotations,
                                       const AnnotateOptions& options, const StopToken& stop) {
  GOPLINE_ASSIGN(auto annotator, Annotator::open(log, clock, annotations, annotator_options(options), stop));
  GOPLINE_ASSIGN(auto reader, aggregator::StreamReader::open(log, options.selection, stop, options.blobs));
  for (;;) {
    auto item = reader->next();
    if (!item) {
      (void)annotator->end(record::EndCause::kStopped);  // what is drawn is whole
      return tl::unexpected<Error>(std::move(item.error()));
    }
    if (!*item) break;
    GOPLINE_TRY(std::visit([&](const auto& one) { return annotator->take(one); }, **item));
  }
  GOPLINE_TRY(annotator->end(record::EndCause::kEndOfInput));
  return annotator->report();
}

Result<LiveAnnotateReport> annotate_live(Log& log, const Clock& clock, catalog::EventFeed& feed,
                                         Annotations& annotations, const LiveAnnotateOptions& options,
                                         const StopToken& stop) {
  const auto& selection = options.what.selection;
  GOPLINE_ASSIGN(auto annotator,
                 Annotator::open(log, clock, annotations, annotator_options(options.what), options.give_up));
  LiveAnnotating sink(*annotator, feed, annotations, selection.stream);
  aggregator::FollowOptions following;
  following.aggregate.selection = selection;
  following.aggregate.format = "fmp4";  // of no account: the sink makes what it makes
  following.aggregate.blobs = options.what.blobs;
  following.until = options.until;
  following.playout.delay.least = options.delay;
  following.playout.delay.most = std::max(options.delay, following.playout.delay.most);
  following.sink = &sink;
  following.paced = true;
  std::optional<Error> failed;
  aggregator::FollowEvents events;
  events.on_ready = options.on_ready;
  events.on_absence = [&](const aggregator::Absence& absence) {
    if (auto ended = annotator->take(absence); !ended && !failed) failed = std::move(ended.error());
  };
  auto followed = aggregator::follow_stream(log, clock, following, events, stop);
  if (!followed) {
    (void)annotator->end(record::EndCause::kStopped);  // what is drawn is whole
    return tl::unexpected<Error>(std::move(followed.error()));
  }
  if (failed) return tl::unexpected<Error>(std::move(*failed));
  LiveAnnotateReport report{annotator->report(), sink.events(), sink.late(), followed->interrupted,
                            followed->stats};
  report.drawn.gaps = static_cast<std::int64_t>(followed->gaps);
  return report;
}

}  // namespace gopline::cli
