#include "aggregator/recorder/partition_recorder.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

#include "common/base/logging.h"
#include "common/catalog/history.h"
#include "common/media/muxer_output.h"

namespace gopline::aggregator {
namespace {

constexpr auto kBetweenCommits = std::chrono::seconds(1);
constexpr std::size_t kUnfinishedBytes = 256 << 20;

record::AssemblerOptions assembler_options(Duration patience) {
  record::AssemblerOptions options;
  options.max_bytes = kUnfinishedBytes;
  options.max_wait = patience;
  options.joins = true;  // what lies before the group's offset is done
  return options;
}

const std::string& stream_of(const record::AssemblerEvent& event) {
  return std::visit(
      [](const auto& one) -> const std::string& {
        using Event = std::decay_t<decltype(one)>;
        constexpr bool is_segment = std::is_same_v<Event, record::AssembledSegment> ||
                                    std::is_same_v<Event, record::OpenChunk> ||
                                    std::is_same_v<Event, record::LostSegment>;
        if constexpr (is_segment) {
          return one.headers.stream;
        } else if constexpr (std::is_same_v<Event, record::BadRecord>) {
          return one.stream;
        } else {
          return one.marker.stream;
        }
      },
      event);
}

std::string json_path(const RecordingOptions& options, const Recording& recording) {
  auto folder = std::filesystem::path(options.directory) / recording_folder(recording.stream);
  auto name = recording.file.empty()
                  ? recording_name(recording.from, recording.epoch, recording.next_segment, true)
                  : std::filesystem::path(recording.file).stem().string();
  return (folder / (name + ".json")).string();
}

Result<void> write_json(const RecordingOptions& options, const Recording& recording) {
  auto path = json_path(options, recording);
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  if (failed) return fail_errno(failed.value(), path);
  GOPLINE_ASSIGN(auto target, media::OutputTarget::open(path, media::OutputTarget::Care::kDurable));
  auto text = to_json(recording);
  GOPLINE_TRY(target->write(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
  return target->commit();
}

}  // namespace

PartitionRecorder::PartitionRecorder(RecorderShared& shared, TopicPartition where)
    : shared_(shared),
      where_(std::move(where)),
      assembler_(assembler_options(shared.options.recording.patience)) {}

bool PartitionRecorder::records(const std::string& stream) const {
  return std::ranges::any_of(shared_.options.patterns, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), stream.c_str(), 0) == 0;
  });
}

PartitionRecorder::Entry* PartitionRecorder::entry_of(const std::string& stream) {
  auto [found, is_new] = streams_.try_emplace(stream);
  if (!is_new || !records(stream)) return found->second.get();
  auto entry = std::make_unique<Entry>();
  entry->world.may_finish = [this] { return commit(); };
  entry->world.finished = [this](const Recording& recording, bool known) {
    return finished(recording, known);
  };
  entry->world.wrote = [this, entry = entry.get()](const SegmentData& segment) { wrote(*entry, segment); };
  if (shared_.options.metrics) entry->metrics = shared_.options.metrics->stream(stream);
  entry->world.find_epoch = [this, stream](EpochNumber number) { return find_epoch(stream, number); };
  entry->recorder = std::make_unique<StreamRecorder>(shared_.options.recording, entry->world, shared_.claims,
                                                     shared_.progress, stream, where_.partition);
  shared_.report.streams.try_emplace(stream);
  found->second = std::move(entry);
  return found->second.get();
}

// ---- what comes

void PartitionRecorder::take(StoredRecord stored, SteadyTime now) {
  auto offset = stored.offset;
  next_ = offset.next();
  auto* entry = entry_of(stored.key);
  if (!entry || entry->recorder->failure()) return;
  leave_shared_block(stored);
  record::IncomingRecord incoming{.offset = offset,
                                  .timestamp = stored.timestamp,
                                  .key = stored.key,
                                  .headers = &stored.headers,
                                  .value = stored.value.value_or(Buffer()),
                                  .damage = {},
                                  .pinned_bytes = stored.pinned_bytes};
  if (stored.damage) incoming.damage = stored.damage->message;
  pass_on(assembler_.add(incoming, now), offset, now);
}

void PartitionRecorder::pass_on(std::vector<record::AssemblerEvent> events, Offset offset, SteadyTime now) {
  for (auto& event : events) {
    if (auto* entry = entry_of(stream_of(event))) entry->recorder->take(std::move(event), offset, now);
  }
  if (!events.empty()) look_for_failures(now);
}

void PartitionRecorder::wrote(Entry& entry, const SegmentData& segment) {
  entry.metrics.segments.add();
  entry.metrics.capture_to_file.observe(shared_.clock.now() - segment.headers.time);
  tell_failure(entry, segment.headers.stream, "");
  if (shared_.events.on_segment) shared_.events.on_segment(segment.headers.stream);
}

void PartitionRecorder::tell_failure(Entry& entry, const std::string& stream, const std::string& why) {
  bool behind = !why.empty();
  if (std::exchange(entry.behind, behind) == behind) return;
  entry.metrics.behind.set(behind ? 1 : 0);
  if (shared_.events.on_failure) shared_.events.on_failure(stream, why);
}

// What a stream that failed is in the middle of comes again.
void PartitionRecorder::look_for_failures(SteadyTime now) {
  for (const auto& [stream, entry] : streams_) {
    if (!entry || !entry->recorder->failure()) continue;
    assembler_.forget(stream);
    tell_failure(*entry, stream, entry->recorder->failure()->message);
    if (!retry_at_) retry_at_ = now + shared_.options.retry_after;
  }
}

void PartitionRecorder::retry(SteadyTime now) {
  if (!retry_at_ || now < *retry_at_) return;
  retry_at_.reset();
  ++retries_;
  auto from = prefix();
  for (const auto& [stream, entry] : streams_) {
    if (entry) entry->recorder->retry();
  }
  if (!from || *from == next_) return;
  if (auto sought = shared_.reader->seek(where_, StartPosition::at(*from)); !sought)
    return log_warning(where_.topic, "partition {}: {}", where_.partition, sought.error().message);
  next_ = *from;
}

void PartitionRecorder::tick(Timestamp wall, SteadyTime now) {
  pass_on(assembler_.expire(now), next_.value_or(Offset{}), now);
  for (const auto& [stream, entry] : streams_) {
    if (entry) entry->recorder->tick(wall, now);
  }
  look_for_failures(now);
  if (!retry_at_) retries_ = 0;
  retry(now);
  if (now < commit_at_ || prefix() == committed_) return;
  commit_at_ = now + kBetweenCommits;
  if (auto committed = commit(); !committed)
    log_warning(where_.topic, "partition {}: {}", where_.partition, committed.error().message);
}

void PartitionRecorder::finish(FileEnd end) {
  for (const auto& [stream, entry] : streams_) {
    if (entry) entry->recorder->finish(end);
  }
  if (auto committed = commit(); !committed) {
    log_warning(where_.topic, "partition {}: {}; what it holds may be read once more", where_.partition,
                committed.error().message);
  }
}

std::map<std::string, std::string> PartitionRecorder::failures() const {
  std::map<std::string, std::string> failures;
  for (const auto& [stream, entry] : streams_) {
    if (entry && entry->recorder->failure()) failures[stream] = entry->recorder->failure()->message;
  }
  return failures;
}

// ---- what is done

// Everything before it is in finished files, or need not be. nullopt: nothing has come.
std::optional<Offset> PartitionRecorder::prefix() const {
  auto prefix = next_;
  auto note = [&](std::optional<Offset> offset) {
    if (offset && (!prefix || *offset < *prefix)) prefix = offset;
  };
  note(assembler_.oldest_pending());
  for (const auto& [stream, entry] : streams_) {
    if (entry) note(entry->recorder->oldest_offset());
  }
  return prefix;
}

// Also tells whether the partition is still ours.
Result<void> PartitionRecorder::commit() {
  auto next = prefix();
  if (!next) return {};
  GOPLINE_TRY(shared_.reader->commit(where_, *next));
  committed_ = next;
  if (shared_.events.on_step) shared_.events.on_step(RecordStep::kCommitted);
  return {};
}

Result<void> PartitionRecorder::finished(const Recording& recording, bool known) {
  auto step = [&](RecordStep done) {
    if (shared_.events.on_step) shared_.events.on_step(done);
  };
  if (!known) {
    if (!recording.file.empty()) step(RecordStep::kFileNamed);
    GOPLINE_TRY(write_json(shared_.options.recording, recording));
    step(RecordStep::kJsonWritten);
  }
  GOPLINE_TRY(shared_.progress.advance(recording.stream, recording.epoch,
                                       {recording.next_segment, recording.next_gap}, recording.file));
  step(RecordStep::kProgressWritten);
  commit_at_ = {};  // soon
  if (known) return {};
  if (const auto* entry = entry_of(recording.stream)) entry->metrics.finished(recording);
  auto& stats = shared_.report.streams[recording.stream];
  stats.gaps += static_cast<std::int64_t>(recording.gaps.size());
  if (!recording.file.empty()) {
    ++stats.files;
    stats.segments += recording.next_segment - recording.first_segment;
    stats.bytes += recording.bytes;
    stats.footage += recording.to - recording.from;
  }
  if (shared_.events.on_recording) shared_.events.on_recording(recording);
  return {};
}

// Its opening record, from what has come, from NS.streams, or from where the epoch's number says it lies.
Result<const record::StartedEpoch*> PartitionRecorder::find_epoch(const std::string& stream,
                                                                  EpochNumber number) {
  auto& recorder = *streams_.at(stream)->recorder;
  if (const auto* known = recorder.epoch(number)) return known;
  GOPLINE_TRY(shared_.directory.refresh());
  auto state = shared_.directory.find(stream);
  if (!state) return nullptr;
  if (state->epoch == number && state->started) {
    recorder.know({number, state->epoch_offset, *state->started});
    return recorder.epoch(number);
  }
  auto offset = Offset(number.value - state->epoch_base);
  auto found = catalog::find_epoch(shared_.log, shared_.topics, *state, number, offset);
  if (!found && found.error().code == ErrorCode::kNotFound) return nullptr;
  if (!found) return tl::unexpected<Error>(std::move(found.error()));
  recorder.know(std::move(*found));
  return recorder.epoch(number);
}

}  // namespace gopline::aggregator
