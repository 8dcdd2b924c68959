#include "server/segment_store.h"

#include <utility>

#include "common/reading/claim_fetcher.h"
#include "common/record/chunk_assembler.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostIdleFetchers = 4;  // of a partition

tl::unexpected<Error> missing(const record::IndexEntry& entry, std::string_view why) {
  return fail(ErrorCode::kNotFound, "{}: segment {} of epoch {}: {}", entry.stream, entry.segment,
              entry.epoch, why);
}

}  // namespace

record::IncomingRecord incoming_from(const StoredRecord& stored) {
  record::IncomingRecord incoming;
  incoming.offset = stored.offset;
  incoming.timestamp = stored.timestamp;
  incoming.key = stored.key;
  incoming.headers = &stored.headers;
  incoming.value = stored.value.value_or(Buffer());
  if (stored.damage) incoming.damage = stored.damage->message;
  incoming.pinned_bytes = stored.pinned_bytes;
  return incoming;
}

Result<SegmentPtr> SegmentStore::get(const record::IndexEntry& entry, const StopToken& stop) {
  return kept_.get(
      {entry.stream, entry.epoch, entry.segment}, [&] { return read(entry, stop); },
      [](const ServedSegment& segment) { return segment.bytes.size(); });
}

std::unique_ptr<aggregator::RecordFetcher> SegmentStore::borrow(PartitionId partition) {
  std::lock_guard lock(mutex_);
  auto& pool = idle_[partition];
  if (pool.empty())
    return std::make_unique<aggregator::RecordFetcher>(log_, TopicPartition{topic_, partition}, StopToken());
  auto fetcher = std::move(pool.back());
  pool.pop_back();
  return fetcher;
}

// One that has failed is not given back.
void SegmentStore::give_back(PartitionId partition, std::unique_ptr<aggregator::RecordFetcher> fetcher) {
  std::lock_guard lock(mutex_);
  auto& pool = idle_[partition];
  if (pool.size() < kMostIdleFetchers) pool.push_back(std::move(fetcher));
}

Result<std::string> SegmentStore::url_of(const record::IndexEntry& entry, Duration valid_for) {
  GOPLINE_ASSIGN(auto store, blobs_.store_of(entry.dataref));
  GOPLINE_ASSIGN(auto key, store->key_of(entry.dataref));
  return store->presign(key, valid_for);
}

Result<record::EpochStarted> SegmentStore::epoch_of(const record::IndexEntry& entry, const StopToken& stop) {
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
  auto fetcher = borrow(entry.partition);
  GOPLINE_ASSIGN(auto stored, fetcher->fetch(entry.epoch_offset));
  give_back(entry.partition, std::move(fetcher));
  if (!stored || !stored->value) return missing(entry, "the log does not keep the beginning of its epoch");
  return record::parse_epoch_started(stored->headers, *stored->value);
}

Result<SegmentPtr> SegmentStore::read(const record::IndexEntry& entry, const StopToken& stop) {
  auto fetcher = borrow(entry.partition);
  GOPLINE_ASSIGN(auto chunks, read_chunks(entry, *fetcher, stop));
  give_back(entry.partition, std::move(fetcher));
  ServedSegment segment;
  segment.bytes = chunks.flatten();  // the only copy, and none where it came in one piece
  segment.is_nut = entry.init_xxh3.empty();
  if (segment.is_nut) {
    segment.tracks.all = false;
    return std::make_shared<const ServedSegment>(std::move(segment));
  }
  GOPLINE_ASSIGN(segment.tracks, browser_tracks(segment.bytes));
  GOPLINE_ASSIGN(segment.fragments, browser_fragments(segment.bytes, segment.tracks));
  return std::make_shared<const ServedSegment>(std::move(segment));
}

Result<BufferChain> SegmentStore::read_chunks(const record::IndexEntry& entry,
                                              aggregator::RecordFetcher& fetcher, const StopToken& stop) {
  record::ChunkAssembler assembler;
  for (auto offset : entry.offsets) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
    GOPLINE_ASSIGN(auto stored, fetcher.fetch(offset, entry.size));
    if (!stored) return missing(entry, "the log does not keep it any more");
    for (auto& event : assembler.add(incoming_from(*stored), SteadyTime{})) {
      if (auto* bad = std::get_if<record::BadRecord>(&event)) return tl::unexpected<Error>(bad->error);
      auto* whole = std::get_if<record::AssembledSegment>(&event);
      if (!whole || whole->headers.epoch != entry.epoch || whole->headers.segment != entry.segment) continue;
      if (whole->datarefs.empty()) return std::move(whole->bytes);
      reading::ClaimFetcher claims(blobs_, stop);
      return claims.fetch(whole->datarefs);
    }
  }
  return fail(ErrorCode::kCorrupt, "{}: segment {} of epoch {} is damaged", entry.stream, entry.segment,
              entry.epoch);
}

}  // namespace gopline::server
