#include "aggregator/file_get.h"

#include <algorithm>

#include "aggregator/read_ahead.h"
#include "aggregator/stream_reader.h"
#include "common/catalog/history.h"
#include "common/catalog/stream_directory.h"
#include "common/media/muxer_output.h"
#include "common/record/topics.h"

namespace gopline::aggregator {
namespace {

constexpr std::size_t kReadAheadBytes = 32 << 20;

// A run of whole pieces: of an epoch, its first so many segments.
struct Stretch {
  record::StartedEpoch epoch;
  std::optional<std::int64_t> segments;  // nullopt: all
};

class GetRun {
 public:
  GetRun(Log& log, const GetOptions& options,
         const std::function<void(std::uint64_t, std::uint64_t)>& on_progress, StopToken stop)
      : log_(log), options_(options), on_progress_(on_progress), stop_(std::move(stop)) {}

  Result<GetReport> run() {
    GOPLINE_ASSIGN(auto directory, catalog::StreamDirectory::read(log_, topics_, options_.stream));
    GOPLINE_ASSIGN(state_, directory.find(options_.stream));
    GOPLINE_ASSIGN(auto newest, choose_epoch());
    GOPLINE_ASSIGN(auto stretches, stretches_of(std::move(newest)));
    describe(stretches);
    GOPLINE_ASSIGN(auto output, media::OutputTarget::open(options_.output));
    for (const auto& stretch : stretches) GOPLINE_TRY(copy(stretch, *output));
    if (!report_.absences.empty()) return std::move(report_);
    if (output->bytes_written() != report_.size) {
      return fail(ErrorCode::kCorrupt, "{}: the file had {} bytes and the log has {}", options_.stream,
                  report_.size, output->bytes_written());
    }
    GOPLINE_TRY(output->commit());
    return std::move(report_);
  }

 private:
  Result<record::StartedEpoch> choose_epoch() {
    bool newest_is_whole = state_.epoch && state_.started && state_.ended == record::EndCause::kEndOfInput;
    if (newest_is_whole && (!options_.epoch || *options_.epoch == *state_.epoch)) {
      return record::StartedEpoch{*state_.epoch, state_.epoch_offset, *state_.started};
    }
    GOPLINE_ASSIGN(auto epochs, catalog::read_epochs(log_, topics_, state_));
    std::reverse(epochs.begin(), epochs.end());
    for (const auto& epoch : epochs) {
      bool whole = epoch.ended && epoch.ended->cause == record::EndCause::kEndOfInput;
      bool wanted = options_.epoch ? epoch.started.epoch == *options_.epoch : whole;
      if (wanted && whole) return epoch.started;
      if (wanted) {
        return fail(ErrorCode::kNotFound,
                    "{}: the put of epoch {} did not come to its end: put the file once more",
                    options_.stream, epoch.started.epoch);
      }
      ++report_.unfinished_newer;
    }
    if (options_.epoch) {
      return fail(ErrorCode::kNotFound, "{}: has no epoch {}", options_.stream, *options_.epoch);
    }
    return fail(ErrorCode::kNotFound,
                "{}: no file was put whole: put it once more, and it goes on where it ended",
                options_.stream);
  }

  // An epoch, with those before it of which it is the rest.
  Result<std::vector<Stretch>> stretches_of(record::StartedEpoch epoch) {
    std::vector<Stretch> stretches{{std::move(epoch), std::nullopt}};
    while (const auto& before = stretches.back().epoch.marker.continues) {
      const auto& newer = stretches.back().epoch;
      if (before->epoch >= newer.epoch) {
        return fail(ErrorCode::kCorrupt, "{}: epoch {} says that it continues epoch {}", options_.stream,
                    newer.epoch, before->epoch);
      }
      Offset offset(before->epoch.value - newer.marker.epoch_base);
      GOPLINE_ASSIGN(auto older, catalog::find_epoch(log_, topics_, state_, before->epoch, offset));
      auto segments = before->segments;
      stretches.push_back({std::move(older), segments});
    }
    std::reverse(stretches.begin(), stretches.end());
    return stretches;
  }

  void describe(const std::vector<Stretch>& stretches) {
    const auto& last = stretches.back().epoch;
    report_.epoch = last.epoch;
    report_.name = last.marker.source.name;
    report_.content_type = last.marker.content_type;
    report_.size = last.marker.source.size_bytes.value_or(0);
    for (const auto& stretch : stretches) report_.epochs.push_back(stretch.epoch.epoch);
  }

  Result<void> copy(const Stretch& stretch, media::OutputTarget& output) {
    // Whatever ends this call early also ends what the reader waits for.
    StopSource reading;
    std::stop_callback pass_on(stop_, [&] { reading.request_stop(); });
    struct OnReturn {
      StopSource& source;
      ~OnReturn() { source.request_stop(); }
    };
    Selection selection;
    selection.topic_namespace = options_.topic_namespace;
    selection.stream = options_.stream;
    selection.epochs = EpochSelection::one(stretch.epoch.epoch);
    GOPLINE_ASSIGN(auto reader, StreamReader::open(log_, selection, reading.get_token(), options_.blobs));
    ReadAhead ahead(*reader, kReadAheadBytes);
    OnReturn stop_reading{reading};
    for (std::int64_t copied = 0; !stretch.segments || copied < *stretch.segments;) {
      if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", options_.stream);
      GOPLINE_ASSIGN(auto item, ahead.next());
      if (!item) break;
      if (auto* absence = std::get_if<Absence>(&*item)) {
        copied += std::max<std::int64_t>(1, absence->segments);
        report_.absences.push_back(std::move(*absence));
      }
      auto* piece = std::get_if<SegmentData>(&*item);
      if (!piece) continue;
      ++copied;
      // After an absence the rest is only looked at: everything that is missing is told at once.
      if (report_.absences.empty()) GOPLINE_TRY(output.write(piece->bytes));
      if (on_progress_) on_progress_(output.bytes_written(), report_.size);
    }
    return {};
  }

  Log& log_;
  const GetOptions& options_;
  const std::function<void(std::uint64_t, std::uint64_t)>& on_progress_;
  StopToken stop_;
  const record::Topics topics_ = record::topics_of(options_.topic_namespace);
  record::StreamState state_;
  GetReport report_;
};

}  // namespace

Result<GetReport> get_file(Log& log, const GetOptions& options,
                           const std::function<void(std::uint64_t, std::uint64_t)>& on_progress,
                           StopToken stop) {
  return GetRun(log, options, on_progress, std::move(stop)).run();
}

}  // namespace gopline::aggregator
