#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "aggregator/record_fetcher.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"
#include "common/record/chunk_assembler.h"
#include "common/record/markers.h"
#include "server/browser_tracks.h"
#include "server/once_cache.h"
#include "server/renditions/stored_packets.h"

namespace gopline::server {

// A segment that came whole and verified, ready to be sent.
struct ServedSegment {
  Buffer bytes;  // as stored
  bool is_nut = false;
  BrowserTracks tracks;   // of a NUT file none
  BufferChain fragments;  // of these tracks, in the memory of `bytes`
};
using SegmentPtr = std::shared_ptr<const ServedSegment>;

// As what is made of segments takes it.
inline StoredMedia stored_media(const ServedSegment& segment, const record::IndexEntry& entry) {
  return {segment.bytes, segment.is_nut, entry.start};
}

// Segments by their index entries: read once for all who want them, the ones used last kept within a bound in
// bytes. Thread-safe.
class SegmentStore {
 public:
  // All outlive the store. `blobs`: where claim checks are redeemed.
  SegmentStore(Log& log, std::string segments_topic, payload::BlobSource& blobs, std::size_t most_bytes)
      : log_(log), topic_(std::move(segments_topic)), blobs_(blobs), kept_(most_bytes) {}

  // Blocks while it is read. kNotFound: the log does not keep it any more; kCorrupt; else the log's errors.
  Result<SegmentPtr> get(const record::IndexEntry& entry, const StopToken& stop);

  // Where anybody may fetch the payload of an entry with a claim check for that long, as it was stored.
  // kUnsupported: its store has no such addresses.
  Result<std::string> url_of(const record::IndexEntry& entry, Duration valid_for);

  // How the epoch of that segment began; read every time.
  Result<record::EpochStarted> epoch_of(const record::IndexEntry& entry, const StopToken& stop);

 private:
  using Key = std::tuple<std::string, EpochNumber, SegmentNumber>;
  using FetcherPool = std::vector<std::unique_ptr<aggregator::RecordFetcher>>;

  Result<SegmentPtr> read(const record::IndexEntry& entry, const StopToken& stop);
  Result<BufferChain> read_chunks(const record::IndexEntry& entry, aggregator::RecordFetcher& fetcher,
                                  const StopToken& stop);
  std::unique_ptr<aggregator::RecordFetcher> borrow(PartitionId partition);
  void give_back(PartitionId partition, std::unique_ptr<aggregator::RecordFetcher> fetcher);

  Log& log_;
  const std::string topic_;
  payload::BlobSource& blobs_;
  OnceCache<Key, ServedSegment> kept_;
  std::mutex mutex_;
  std::map<PartitionId, FetcherPool> idle_;  // a reader costs a log over a network connections
};

// Its value is shared; the headers are `stored`'s.
record::IncomingRecord incoming_from(const StoredRecord& stored);

}  // namespace gopline::server
