#include "aggregator/recorder/record_streams.h"

#include <algorithm>
#include <filesystem>

#include "aggregator/recorder/partition_recorder.h"
#include "common/base/headers.h"
#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/reading/claim_fetcher.h"

namespace gopline::aggregator {
namespace {

constexpr Duration kLongestWait = std::chrono::milliseconds(200);
constexpr auto kBetweenTicks = std::chrono::milliseconds(200);
constexpr auto kBetweenRemovals = std::chrono::seconds(10);
constexpr std::size_t kPollBytes = 8 << 20;

class Recorder {
 public:
  Recorder(Log& log, const Clock& clock, const RecordOptions& options, const RecordEvents& events,
           StopToken stop)
      : log_(log),
        clock_(clock),
        options_(options),
        events_(events),
        stop_(std::move(stop)),
        topics_(record::topics_of(options.topic_namespace)),
        retention_(options.recording.directory, options.limits) {
    if (options.blobs) claims_.emplace(*options.blobs, stop_);
  }

  Result<RecordReport> run() {
    GOPLINE_TRY(prepare());
    GOPLINE_TRY(join());
    std::stop_callback wake(stop_, [&] { reader_->wakeup(); });
    if (events_.on_ready) events_.on_ready();
    Result<void> result;
    while (result && !stop_.stop_requested() && !is_at_the_end()) result = go_on();
    shared_->report.interrupted = stop_.stop_requested();
    end();
    if (!result) return tl::unexpected<Error>(std::move(result.error()));
    return std::move(shared_->report);
  }

 private:
  Result<void> prepare() {
    const auto& directory = options_.recording.directory;
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);
    if (failed) return fail_errno(failed.value(), directory + ": cannot be made");
    if (auto abandoned = remove_abandoned_parts(directory); abandoned > 0)
      log_info(directory, "{} unfinished files of recorders that died: what was in them is recorded anew",
               abandoned);
    auto info = log_.describe_topic(topics_.segments);
    if (!info && info.error().code == ErrorCode::kNotFound) {
      return fail(ErrorCode::kNotFound, "{} has no streams yet: `gopline split SOURCE` makes one",
                  log_.describe());
    }
    if (!info) return tl::unexpected<Error>(std::move(info.error()));
    GOPLINE_ASSIGN(progress_,
                   RecordingProgress::open(log_, clock_, options_.topic_namespace, options_.group));
    GOPLINE_ASSIGN(directory_, catalog::StreamDirectory::read(log_, topics_));
    shared_.emplace(RecorderShared{log_, clock_, options_, events_, topics_, *progress_, *directory_,
                                   claims_ ? &*claims_ : nullptr});
    for (std::int32_t i = 0; options_.until_end && i < info->partitions; ++i) {
      TopicPartition where{topics_.segments, PartitionId(i)};
      GOPLINE_ASSIGN(auto kept, log_.offsets(where));
      ends_[where] = kept.end;
    }
    return {};
  }

  Result<void> join() {
    LogReaderOptions reading;
    reading.group = options_.group;
    reading.member_id = options_.member_id;
    reading.max_poll_bytes = kPollBytes;
    reading.session_timeout = options_.session_timeout;
    reading.verify_values = false;  // every chunk's own hash is checked
    reading.on_revoked = [this](const std::vector<TopicPartition>& lost) { hand_over(lost); };
    reading.on_assigned = [this](const std::vector<TopicPartition>& gained) { take_over(gained); };
    GOPLINE_ASSIGN(reader_, log_.make_reader(std::move(reading)));
    shared_->reader = reader_.get();
    return reader_->subscribe({topics_.segments}, options_.first_start);
  }

  void hand_over(const std::vector<TopicPartition>& lost) {
    for (const auto& where : lost) {
      if (auto found = partitions_.find(where); found != partitions_.end()) {
        found->second->finish(FileEnd::kHandedOver);
        keep_failures(*found->second);
        partitions_.erase(found);
      }
    }
    log_info(options_.group, "{} partitions are another recorder's now", lost.size());
  }

  void take_over(const std::vector<TopicPartition>& gained) {
    has_joined_ = true;
    gained_ = true;
    for (const auto& where : gained)
      partitions_.insert_or_assign(where, std::make_unique<PartitionRecorder>(*shared_, where));
    log_debug(options_.group, "{} partitions to record", gained.size());
  }

  // ---- reading

  Result<void> go_on() {
    auto records = reader_->poll(kLongestWait);
    if (!records) {
      if (stop_.stop_requested() || records.error().code == ErrorCode::kUnavailable) {
        log_warning(options_.group, "{}", records.error().message);
        return {};
      }
      return tl::unexpected<Error>(std::move(records.error()));
    }
    // What others have recorded of the partitions that are ours since this poll.
    if (std::exchange(gained_, false)) GOPLINE_TRY(progress_->refresh());
    announce_claims(*records);
    auto now = clock_.steady_now();
    for (auto& record : *records) {
      auto found = partitions_.find(record.where);
      if (found != partitions_.end()) found->second->take(std::move(record), now);
    }
    now = clock_.steady_now();
    if (now < tick_at_) return {};
    tick_at_ = now + kBetweenTicks;
    for (auto& [where, partition] : partitions_) partition->tick(clock_.now(), now);
    remove_what_is_too_much(now);
    return {};
  }

  void announce_claims(const std::vector<StoredRecord>& records) {
    if (!claims_) return;
    for (const auto& record : records) {
      auto uri = find_header(record.headers, "ce_dataref");
      auto size = find_header(record.headers, "ce_datasize");
      auto partition = partitions_.find(record.where);
      if (!uri || !size || partition == partitions_.end() || !partition->second->records(record.key))
        continue;
      if (auto bytes = parse_int64(*size); bytes && *bytes >= 0)
        claims_->announce(std::string(*uri), static_cast<std::uint64_t>(*bytes));
    }
  }

  void remove_what_is_too_much(SteadyTime now) {
    if (!options_.limits.any() || now < remove_at_) return;
    remove_at_ = now + kBetweenRemovals;
    remove_now();
  }

  void remove_now() {
    auto removed = retention_.apply(clock_.now());
    if (!removed) return log_warning(options_.recording.directory, "{}", removed.error().message);
    shared_->report.removed.files += removed->files;
    shared_->report.removed.bytes += removed->bytes;
    if (options_.metrics) options_.metrics->removed(removed->files, removed->bytes);
    if (removed->files > 0) {
      log_info(options_.recording.directory, "removed {} files, {}: more than is to be kept", removed->files,
               format_bytes(removed->bytes));
    }
  }

  // ---- the end

  bool is_at_the_end() {
    if (!options_.until_end || !has_joined_) return false;
    return std::ranges::all_of(partitions_, [&](const auto& partition) {
      auto position = reader_->position(partition.first);
      return position && *position >= ends_[partition.first] && !partition.second->will_retry();
    });
  }

  void keep_failures(const PartitionRecorder& partition) {
    for (const auto& [stream, why] : partition.failures()) shared_->report.streams[stream].failure = why;
  }

  void end() {
    for (auto& [where, partition] : partitions_) {
      partition->finish(FileEnd::kStopped);
      keep_failures(*partition);
    }
    partitions_.clear();
    if (options_.limits.any()) remove_now();
  }

  Log& log_;
  const Clock& clock_;
  const RecordOptions& options_;
  const RecordEvents& events_;
  StopToken stop_;
  const record::Topics topics_;
  RecordingRetention retention_;
  std::optional<reading::ClaimFetcher> claims_;
  std::unique_ptr<RecordingProgress> progress_;
  std::optional<catalog::StreamDirectory> directory_;
  std::optional<RecorderShared> shared_;
  std::map<TopicPartition, std::unique_ptr<PartitionRecorder>> partitions_;
  std::map<TopicPartition, Offset> ends_;  // until_end: as of the beginning
  std::unique_ptr<LogReader> reader_;      // goes before what its callbacks touch
  bool has_joined_ = false;
  bool gained_ = false;
  SteadyTime tick_at_{}, remove_at_{};
};

}  // namespace

bool RecordReport::whole() const {
  return std::ranges::all_of(streams, [](const auto& stream) { return stream.second.gaps == 0; });
}

bool RecordReport::failed() const {
  return std::ranges::any_of(streams, [](const auto& stream) { return !stream.second.failure.empty(); });
}

Result<RecordReport> record_streams(Log& log, const Clock& clock, const RecordOptions& options,
                                    const RecordEvents& events, StopToken stop) {
  return Recorder(log, clock, options, events, std::move(stop)).run();
}

}  // namespace gopline::aggregator
