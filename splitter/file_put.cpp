#include "splitter/file_put.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/catalog/partition_scan.h"
#include "common/catalog/stream_directory.h"
#include "common/record/event_type.h"
#include "common/record/segment_headers.h"
#include "common/record/topics.h"
#include "splitter/source_file.h"

namespace gopline::splitter {
namespace {

constexpr std::uint64_t kPieceBytes = 16 << 20;
constexpr std::uint64_t kClaimedPieceBytes = 64 << 20;  // a request to a store is worth more than a record
constexpr std::uint64_t kHeaderRoom = 8 << 10;          // of a record's limit; more than any headers of ours

// What the log has of an epoch whose writer is gone.
struct StoredEpoch {
  EpochNumber number;
  record::EpochStarted started;
  std::int64_t segments = 0;  // whole ones, from 0 without a hole
  std::uint64_t bytes = 0;    // with what it continues
  std::optional<EndCause> ended;

  bool has_all(std::uint64_t size) const { return ended == EndCause::kEndOfInput && bytes == size; }
};

// The chunks of an epoch's segments as they come by.
class EpochScan {
 public:
  explicit EpochScan(EpochNumber epoch) : epoch_(epoch) {}

  void take(const StoredRecord& stored) {
    auto type = record::event_type_of(stored.headers);
    if (!type) return;
    if (*type == record::EventType::kEpochEnded && stored.value) {
      auto marker = record::parse_epoch_ended(stored.headers, *stored.value);
      if (marker && marker->epoch == epoch_) ended_ = marker->cause;
    }
    if (*type != record::EventType::kSegment) return;
    auto headers = record::parse_segment_headers(stored.headers);
    if (!headers || headers->epoch != epoch_) return;
    auto& segment = segments_[headers->segment.value];
    segment.chunks.insert(headers->chunk);
    if (headers->last_chunk) segment.last = headers->chunk, segment.size = headers->size.value_or(0);
  }

  void finish(StoredEpoch& epoch) const {
    epoch.ended = ended_;
    for (const auto& [number, segment] : segments_) {
      if (number != epoch.segments || !segment.whole()) break;
      ++epoch.segments;
      epoch.bytes += segment.size;
    }
  }

 private:
  struct Seen {
    std::set<std::int64_t> chunks;
    std::optional<std::int64_t> last;
    std::uint64_t size = 0;
    bool whole() const { return last && static_cast<std::int64_t>(chunks.size()) == *last + 1; }
  };
  const EpochNumber epoch_;
  std::map<std::int64_t, Seen> segments_;
  std::optional<EndCause> ended_;
};

// The stream's newest epoch, as the records themselves tell it: its state may lag behind.
Result<std::optional<StoredEpoch>> newest_epoch(Log& log, const PutOptions& options, const StopToken& stop) {
  auto topics = record::topics_of(options.topic_namespace);
  GOPLINE_ASSIGN(auto directory, catalog::StreamDirectory::read(log, topics, options.stream));
  auto found = directory.streams().find(options.stream);
  if (found == directory.streams().end() || !found->second.epoch || !found->second.started)
    return std::nullopt;
  const auto& state = found->second;
  StoredEpoch epoch;
  epoch.number = *state.epoch;
  epoch.started = *state.started;
  if (const auto& before = epoch.started.continues) epoch.bytes = before->bytes;
  EpochScan seen(epoch.number);
  catalog::ScanOptions scan;
  scan.from = state.epoch_offset;
  scan.stop = stop;
  GOPLINE_TRY(catalog::scan_partition(log, {topics.segments, state.partition}, scan, [&](const auto& stored) {
    if (stored.key == options.stream) seen.take(stored);
    return true;
  }));
  seen.finish(epoch);
  return epoch;
}

class PutRun {
 public:
  PutRun(Log& log, const Clock& clock, const PutOptions& options, SourceFile file,
         const std::function<void(std::uint64_t, std::uint64_t)>& on_progress, StopToken stop)
      : log_(log),
        clock_(clock),
        options_(options),
        file_(std::move(file)),
        on_progress_(on_progress),
        stop_(std::move(stop)) {}

  Result<PutReport> run() {
    report_.size = file_.size();
    GOPLINE_ASSIGN(auto before, newest_epoch(log_, options_, stop_));
    bool is_same = before && !options_.again && is_same_file(before->started.source, file_.describe());
    if (is_same && before->has_all(file_.size())) {
      report_.whole = before->number;
      return std::move(report_);
    }
    std::optional<record::Continuation> continues;
    if (is_same && before->ended != EndCause::kEndOfInput) continues = continuation_of(*before);
    GOPLINE_ASSIGN(report_.compression, choose_compression());
    GOPLINE_ASSIGN(auto publisher, open(continues));
    report_.resumed_from = continues ? continues->bytes : 0;
    auto moved = move_pieces(*publisher, report_.resumed_from);
    bool stopped = !moved && moved.error().code == ErrorCode::kCancelled;
    auto closed = publisher->close(moved     ? EndCause::kEndOfInput
                                   : stopped ? EndCause::kStopped
                                             : EndCause::kSourceLost);
    if (!moved) return tl::unexpected<Error>(std::move(moved.error()));
    if (!closed) return tl::unexpected<Error>(std::move(closed.error()));
    report_.epoch = std::move(*closed);
    return std::move(report_);
  }

 private:
  // An epoch that never stored anything of its own leaves the one that it continued.
  static std::optional<record::Continuation> continuation_of(const StoredEpoch& before) {
    if (before.segments == 0) return before.started.continues;
    return record::Continuation{before.number, before.segments, before.bytes};
  }

  Result<std::unique_ptr<Publisher>> open(const std::optional<record::Continuation>& continues) {
    PublisherOptions publisher;
    publisher.topic_namespace = options_.topic_namespace;
    publisher.stream = options_.stream;
    publisher.source = file_.describe();
    publisher.content_type = options_.content_type;
    publisher.clock = CaptureClock::kFile;
    publisher.stop = stop_;
    publisher.partitions = options_.partitions;
    publisher.segment_retention = options_.retention;
    publisher.payload = options_.payload;
    publisher.blobs = options_.blobs;
    publisher.continues = continues;
    publisher.compress = report_.compression.compress;
    return Publisher::open(log_, clock_, std::move(publisher));
  }

  Result<payload::CompressionChoice> choose_compression() const {
    if (!log_.compresses()) return payload::CompressionChoice{false, "this log keeps bytes as they are"};
    std::vector<Buffer> samples;
    for (auto offset : payload::sample_offsets(file_.size())) {
      auto size = std::min<std::uint64_t>(payload::kSampleBytes, file_.size() - offset);
      GOPLINE_ASSIGN(samples.emplace_back(), file_.read(offset, static_cast<std::size_t>(size)));
    }
    return payload::choose_compression(options_.compression, options_.content_type, samples);
  }

  // What one piece may be, before the strategy is chosen for it.
  Result<std::uint64_t> piece_bytes() {
    if (options_.piece_bytes) return *options_.piece_bytes;
    bool claims = options_.blobs && options_.payload.strategy != payload::Strategy::kChunk &&
                  options_.payload.strategy != payload::Strategy::kInline;
    if (claims) return kClaimedPieceBytes;
    if (options_.payload.strategy != payload::Strategy::kInline) return kPieceBytes;
    GOPLINE_ASSIGN(auto topic, log_.describe_topic(record::topics_of(options_.topic_namespace).segments));
    auto room = topic.max_record_bytes > 2 * kHeaderRoom ? topic.max_record_bytes - kHeaderRoom
                                                         : topic.max_record_bytes / 2;
    return std::clamp<std::uint64_t>(room, 1, kPieceBytes);
  }

  Result<void> move_pieces(Publisher& publisher, std::uint64_t offset) {
    GOPLINE_ASSIGN(auto most, piece_bytes());
    // A file without bytes is one piece without bytes: it was put.
    bool is_first = offset == 0;
    for (; offset < file_.size() || is_first; is_first = false) {
      if (stop_.stop_requested()) {
        return fail(ErrorCode::kCancelled, "{}: stopped after {} of {}", options_.file, format_bytes(offset),
                    format_bytes(file_.size()));
      }
      auto size = std::min(most, file_.size() - offset);
      GOPLINE_ASSIGN(auto bytes, file_.read(offset, static_cast<std::size_t>(size)));
      media::BuiltSegment piece;
      piece.bytes = BufferChain(std::move(bytes));
      piece.content_type = options_.content_type;
      piece.sap = 1;
      GOPLINE_TRY(publisher.publish(piece, file_.modified(), stop_));
      offset += size;
      if (on_progress_) on_progress_(report_.resumed_from + publisher.summary().bytes, file_.size());
    }
    return changed_since();
  }

  // Bytes of two states of a file are no file.
  Result<void> changed_since() const {
    GOPLINE_ASSIGN(auto now, SourceFile::open(options_.file));
    if (is_same_file(now.describe(), file_.describe())) return {};
    return fail(ErrorCode::kCorrupt, "{}: has changed while it was read; put it once more", options_.file);
  }

  Log& log_;
  const Clock& clock_;
  const PutOptions& options_;
  SourceFile file_;
  const std::function<void(std::uint64_t, std::uint64_t)>& on_progress_;
  StopToken stop_;
  PutReport report_;
};

}  // namespace

Result<PutReport> put_file(Log& log, const Clock& clock, const PutOptions& options,
                           const std::function<void(std::uint64_t, std::uint64_t)>& on_progress,
                           StopToken stop) {
  GOPLINE_ASSIGN(auto file, SourceFile::open(options.file));
  return PutRun(log, clock, options, std::move(file), on_progress, std::move(stop)).run();
}

}  // namespace gopline::splitter
