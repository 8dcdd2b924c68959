#include "splitter/epoch_opener.h"

#include <algorithm>

#include "common/base/uuid.h"
#include "common/catalog/stream_directory.h"
#include "common/catalog/topic_specs.h"
#include "splitter/epoch_recovery.h"
#include "splitter/record_append.h"

namespace gopline::splitter {
namespace {

constexpr std::int64_t kBaseStep = 1LL << 40;

record::EpochStarted describe(const PublisherOptions& options, const Clock& clock) {
  record::EpochStarted marker;
  marker.stream = options.stream;
  marker.writer = options.writer.empty() ? random_uuid() : options.writer;
  marker.time = clock.now();
  marker.clock = options.clock;
  marker.source = options.source;
  marker.tracks = options.tracks;
  bool has_video = std::ranges::any_of(
      options.tracks, [](const auto& t) { return t.codec.type == media::MediaType::kVideo; });
  marker.content_type = options.init_xxh3.empty() ? "video/x-nut" : (has_video ? "video/mp4" : "audio/mp4");
  if (!options.content_type.empty()) marker.content_type = options.content_type;
  marker.continues = options.continues;
  marker.init_xxh3 = options.init_xxh3;
  marker.program = std::string("gopline ") + GOPLINE_VERSION;
  return marker;
}

class Opener {
 public:
  Opener(Log& log, LogWriter& writer, const Clock& clock, const PublisherOptions& options)
      : log_(log),
        writer_(writer),
        clock_(clock),
        options_(options),
        topics_(record::topics_of(options.topic_namespace)) {}

  Result<OpenEpoch> run() {
    GOPLINE_TRY(record::check_namespace(options_.topic_namespace));
    GOPLINE_ASSIGN(info_,
                   catalog::ensure_topics(log_, topics_, {options_.partitions, options_.segment_retention}));
    GOPLINE_ASSIGN(directory_, catalog::StreamDirectory::read(log_, topics_, options_.stream));
    GOPLINE_ASSIGN(auto partition, choose_partition());
    // More than once only when two first writers named different partitions at the same moment.
    for (int attempt = 0; attempt < 8; ++attempt) {
      GOPLINE_ASSIGN(auto epoch, open_in(partition));
      auto settled = directory_->settled_partition(options_.stream).value_or(partition);
      if (settled == partition) return epoch;
      partition = settled;
    }
    return fail(ErrorCode::kConflict, "{}: other writers keep choosing another partition", options_.stream);
  }

 private:
  std::optional<record::StreamState> known() const {
    auto found = directory_->streams().find(options_.stream);
    return found == directory_->streams().end() ? std::nullopt : std::optional(found->second);
  }

  // Where the stream is; a first writer says where it will be and looks whether another was quicker.
  Result<PartitionId> choose_partition() {
    auto state = known();
    if (state && state->epoch && state->partition.value < info_.partitions) return state->partition;
    auto partition = partition_for_key(options_.stream, info_.partitions);
    if (state && state->epoch) return partition;  // the topics were made anew, with fewer partitions
    record::StreamState claim;
    claim.stream = options_.stream;
    claim.partition = partition;
    claim.updated = clock_.now();
    GOPLINE_TRY(append_and_wait(writer_, streams_of(), record::encode(claim), clock_));
    GOPLINE_TRY(directory_->refresh());
    return directory_->settled_partition(options_.stream).value_or(partition);
  }

  // One partition: a key's records have one order.
  TopicPartition streams_of() const { return {topics_.streams, PartitionId(0)}; }

  Result<OpenEpoch> open_in(PartitionId partition) {
    auto state = known();
    OpenEpoch epoch;
    epoch.segments = {topics_.segments, partition};
    epoch.index = {topics_.index, partition};
    epoch.max_record_bytes = info_.max_record_bytes;
    epoch.started = describe(options_, clock_);
    GOPLINE_ASSIGN(epoch.started.epoch_base, base_for(state, epoch.segments));
    GOPLINE_ASSIGN(epoch.offset,
                   append_and_wait(writer_, epoch.segments, record::encode(epoch.started), clock_));
    epoch.number = EpochNumber(epoch.started.epoch_base + epoch.offset.value);
    GOPLINE_ASSIGN(auto recovered, recover(log_, writer_, clock_, epoch, state));
    GOPLINE_TRY(directory_->refresh());
    if (began_meanwhile(epoch, state, known())) {
      state = known();
      GOPLINE_ASSIGN(recovered, recover(log_, writer_, clock_, epoch, state));
    }
    epoch.ordinal = recovered.ordinal;
    epoch.discontinuities = recovered.discontinuities;
    GOPLINE_TRY(announce(epoch, state, recovered));
    return epoch;
  }

  // Whether, between what was `known` of the stream and `epoch`, another epoch had begun that was not
  // announced yet. Its predecessor may have told ordinals and a position that lie behind that one's
  // beginning, and count as late: what the other one announces does not.
  static bool began_meanwhile(const OpenEpoch& epoch, const std::optional<record::StreamState>& known,
                              const std::optional<record::StreamState>& now) {
    if (!known || !known->epoch) return false;  // all of the partition was read
    return now && now->epoch && *known->epoch < *now->epoch && *now->epoch < epoch.number;
  }

  // Epoch numbers grow for ever: a topic made anew counts its offsets from 0, so its base is raised.
  Result<std::int64_t> base_for(const std::optional<record::StreamState>& state,
                                const TopicPartition& where) {
    if (!state || !state->epoch) return 0;
    GOPLINE_ASSIGN(auto range, log_.offsets(where));
    auto base = state->epoch_base;
    while (base + range.end.value <= state->epoch->value) base += kBaseStep;
    return base;
  }

  Result<void> announce(OpenEpoch& epoch, const std::optional<record::StreamState>& before,
                        const Recovered& recovered) {
    GOPLINE_ASSIGN(auto index, log_.offsets(epoch.index));
    auto& state = epoch.state;
    state.stream = options_.stream;
    state.partition = epoch.segments.partition;
    state.epoch = epoch.number;
    state.epoch_base = epoch.started.epoch_base;
    state.epoch_offset = epoch.offset;
    state.started = epoch.started;
    state.ordinal = epoch.ordinal;
    state.discontinuities = epoch.discontinuities;
    state.first_time = before && before->first_time ? before->first_time : recovered.first_time;
    state.last_time = recovered.last_time ? recovered.last_time : before ? before->last_time : std::nullopt;
    state.position = epoch.offset;
    state.index_position = index.end;
    state.updated = clock_.now();
    GOPLINE_TRY(append_and_wait(writer_, streams_of(), record::encode(state), clock_));
    return directory_->refresh();
  }

  Log& log_;
  LogWriter& writer_;
  const Clock& clock_;
  const PublisherOptions& options_;
  record::Topics topics_;
  TopicInfo info_;
  std::optional<catalog::StreamDirectory> directory_;
};

}  // namespace

Result<OpenEpoch> open_epoch(Log& log, LogWriter& writer, const Clock& clock,
                             const PublisherOptions& options) {
  return Opener(log, writer, clock, options).run();
}

}  // namespace gopline::splitter
