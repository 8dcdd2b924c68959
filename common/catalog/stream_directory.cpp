#include "common/catalog/stream_directory.h"

#include <algorithm>

#include "common/catalog/partition_scan.h"

namespace gopline::catalog {

Result<StreamDirectory> StreamDirectory::read(Log& log, const record::Topics& topics,
                                              std::optional<std::string> only) {
  StreamDirectory directory;
  directory.log_ = &log;
  directory.topics_ = topics;
  directory.only_ = std::move(only);
  GOPLINE_TRY(directory.refresh());
  return directory;
}

Result<void> StreamDirectory::refresh() {
  if (partitions_ == 0) {
    auto info = log_->describe_topic(topics_.streams);
    if (!info) {
      if (info.error().code == ErrorCode::kNotFound) return {};
      return tl::unexpected<Error>(info.error());
    }
    partitions_ = info->partitions;
  }
  for (std::int32_t i = 0; i < partitions_; ++i) {
    PartitionId partition(i);
    ScanOptions options;
    options.from = next_[partition];
    GOPLINE_ASSIGN(next_[partition],
                   scan_partition(*log_, {topics_.streams, partition}, options, [&](const auto& stored) {
                     take(stored);
                     return true;
                   }));
  }
  return {};
}

void StreamDirectory::take(const StoredRecord& stored) {
  if (only_ && stored.key != *only_) return;
  if (!stored.value) {
    streams_.erase(stored.key);
    claims_.erase(stored.key);
    return;
  }
  auto parsed = stored.damage ? Result<record::StreamState>(tl::unexpected<Error>(*stored.damage))
                              : record::parse_stream_state(stored.headers, *stored.value);
  if (!parsed) {
    problems_.push_back(fmt::format("{} partition {} offset {}: {}", stored.where.topic,
                                    stored.where.partition, stored.offset, parsed.error().message));
    return;
  }
  auto state = std::move(*parsed);
  auto known = streams_.find(state.stream);
  bool has_epoch = known != streams_.end() && known->second.epoch;
  auto [claim, first_claim] = claims_.try_emplace(state.stream, state.partition);
  if (!state.epoch) {
    if (has_epoch) return;  // too late to claim
    claim->second = std::min(claim->second, state.partition);
    state.partition = claim->second;
  } else if (state.partition != claim->second) {
    // Of a first writer that named another partition and will move; unless the topics were made anew.
    if (!has_epoch || state.epoch_base <= known->second.epoch_base) return;
    claim->second = state.partition;
  }
  if (has_epoch && *state.epoch < *known->second.epoch) return;
  streams_.insert_or_assign(state.stream, std::move(state));
}

Result<record::StreamState> StreamDirectory::find(const std::string& stream) const {
  auto found = streams_.find(stream);
  if (found != streams_.end() && found->second.epoch) return found->second;
  std::string names;
  for (const auto& [name, state] : streams_) {
    if (!state.epoch) continue;
    if (names.size() > 400) {
      names += ", ...";
      break;
    }
    names += names.empty() ? name : ", " + name;
  }
  return fail(ErrorCode::kNotFound, "{}: no such stream in {} ({})", stream, log_->describe(),
              names.empty() ? "it has none" : "it has " + names);
}

std::optional<PartitionId> StreamDirectory::settled_partition(const std::string& stream) const {
  auto found = claims_.find(stream);
  return found == claims_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace gopline::catalog
