#include "bench/segments/gopline_path.h"

#include <algorithm>
#include <deque>

#include "common/bytes/digest.h"
#include "common/payload/prefetcher.h"
#include "common/record/chunk_assembler.h"
#include "common/record/topics.h"
#include "splitter/publisher.h"

namespace gopline::bench {
namespace {

constexpr std::size_t kPollBytes = 8 << 20;  // as `gopline aggregate` reads
constexpr std::uint64_t kFetchedAhead = 64 << 20;

class PublisherSide final : public WriteSide {
 public:
  PublisherSide(std::unique_ptr<splitter::Publisher> publisher, const Clock& clock,
                std::shared_ptr<const PayloadSet> payloads, Mark first)
      : publisher_(std::move(publisher)), clock_(clock), payloads_(std::move(payloads)), mark_(first) {}

  Result<void> send(StopToken stop) override {
    GOPLINE_TRY(publisher_->publish(payloads_->segment(mark_), clock_.now(), std::move(stop)));
    ++mark_.sequence;
    return {};
  }
  Result<std::int64_t> acknowledged() const override { return publisher_->summary().segments; }
  Result<void> finish() override {
    GOPLINE_TRY(publisher_->close(splitter::EndCause::kEndOfInput));
    return {};
  }

 private:
  std::unique_ptr<splitter::Publisher> publisher_;
  const Clock& clock_;
  std::shared_ptr<const PayloadSet> payloads_;
  Mark mark_;  // of the next
};

class AssemblingSide final : public ReadSide {
 public:
  AssemblingSide(std::unique_ptr<LogReader> reader, const Clock& clock, const GoplinePathOptions& options,
                 std::uint64_t run)
      : reader_(std::move(reader)), clock_(clock), options_(options), run_(run), assembler_(bounds(options)) {
    for (std::size_t i = 0; i < options.streams.size(); ++i) {
      stream_numbers_[options.streams[i]] = static_cast<std::int32_t>(i);
    }
    next_.resize(options.streams.size());
  }

  Result<std::vector<Arrival>> poll(Duration max_wait) override {
    arrivals_.clear();
    std::stop_callback wake(options_.stop, [this] { reader_->wakeup(); });
    GOPLINE_ASSIGN(auto records, reader_->poll(max_wait));
    for (auto& record : records) {
      record::IncomingRecord incoming{
          record.offset, record.timestamp,   record.key, &record.headers, record.value.value_or(Buffer()),
          std::nullopt,  record.pinned_bytes};
      if (record.damage) incoming.damage = record.damage->message;
      for (auto& event : assembler_.add(incoming, clock_.steady_now())) GOPLINE_TRY(take(event));
    }
    // All of them now: a poll() that may not wait still waits for a broker to say that there is nothing.
    while (!claims_.empty()) GOPLINE_TRY(redeem());
    return std::move(arrivals_);
  }

 private:
  struct Claim {
    std::int32_t stream;
    record::DataRef reference;
  };

  static record::AssemblerOptions bounds(const GoplinePathOptions& options) {
    record::AssemblerOptions out;
    auto several = 3 * options.payloads->largest_bytes() * options.streams.size();
    out.max_bytes = std::max<std::size_t>(out.max_bytes, several);
    return out;
  }

  Result<void> take(const record::AssemblerEvent& event) {
    if (const auto* lost = std::get_if<record::LostSegment>(&event)) {
      return fail(ErrorCode::kCorrupt, "{}: a payload did not come whole: {}", lost->headers.stream,
                  lost->reason);
    }
    if (const auto* bad = std::get_if<record::BadRecord>(&event)) {
      return fail_with_context(bad->stream, bad->error);
    }
    const auto* whole = std::get_if<record::AssembledSegment>(&event);
    if (!whole) return {};
    auto found = stream_numbers_.find(whole->headers.stream);
    if (found == stream_numbers_.end()) return {};
    if (whole->datarefs.empty()) return arrived(found->second, whole->bytes);
    for (const auto& reference : whole->datarefs) {
      // The run's owner keeps the store.
      std::shared_ptr<payload::BlobStore> store(options_.blobs, [](auto*) {});
      GOPLINE_ASSIGN(auto key, store->key_of(reference.uri));
      fetcher_.add({store, key, reference.size});
      claims_.push_back({found->second, reference});
    }
    return {};
  }

  Result<void> redeem() {
    GOPLINE_ASSIGN(auto bytes, fetcher_.next(options_.stop));
    auto claim = std::move(claims_.front());
    claims_.pop_front();
    if (xxh3_hex(bytes.bytes()) != claim.reference.xxh3) {
      return fail(ErrorCode::kCorrupt, "{}: its bytes do not have the hash in ce_dataxxh3",
                  claim.reference.uri);
    }
    return arrived(claim.stream, BufferChain(std::move(bytes)));
  }

  Result<void> arrived(std::int32_t stream, const BufferChain& bytes) {
    auto& sequence = next_[static_cast<std::size_t>(stream)];
    if (!options_.payloads->is_segment(bytes, {run_, stream, sequence})) {
      return fail(ErrorCode::kCorrupt, "{}: payload {} is not the one that was sent",
                  options_.streams[static_cast<std::size_t>(stream)], sequence);
    }
    arrivals_.push_back({stream, sequence, bytes.size(), clock_.steady_now()});
    ++sequence;
    return {};
  }

  std::unique_ptr<LogReader> reader_;
  const Clock& clock_;
  const GoplinePathOptions& options_;
  std::uint64_t run_;
  record::ChunkAssembler assembler_;
  std::map<std::string, std::int32_t> stream_numbers_;
  std::vector<std::int64_t> next_;
  std::vector<Arrival> arrivals_;
  std::deque<Claim> claims_;  // in the order of fetcher_
  payload::Prefetcher fetcher_{{.threads = 4, .most_bytes = kFetchedAhead}};
};

class GoplinePath final : public Path {
 public:
  GoplinePath(Log& log, const Clock& clock, GoplinePathOptions options)
      : log_(log), clock_(clock), options_(std::move(options)) {}

  Result<std::unique_ptr<WriteSide>> open_writer(std::int32_t stream, std::uint64_t run) override {
    splitter::PublisherOptions publishing;
    const auto& epoch = options_.payloads->epoch();
    publishing.topic_namespace = options_.topic_namespace;
    publishing.stream = options_.streams[static_cast<std::size_t>(stream)];
    publishing.source = epoch.source;
    publishing.tracks = epoch.tracks;
    publishing.init_xxh3 = epoch.init_xxh3;
    publishing.content_type = epoch.content_type;
    publishing.clock = record::CaptureClock::kArrival;
    publishing.partitions = options_.partitions;
    publishing.stop = options_.stop;
    publishing.payload.strategy = options_.strategy.ours;
    if (options_.strategy.chunk_bytes > 0) publishing.payload.chunk_bytes = options_.strategy.chunk_bytes;
    publishing.blobs = options_.blobs;
    GOPLINE_ASSIGN(auto publisher, splitter::Publisher::open(log_, clock_, std::move(publishing)));
    return std::make_unique<PublisherSide>(std::move(publisher), clock_, options_.payloads,
                                           Mark{run, stream, 0});
  }

  Result<std::unique_ptr<ReadSide>> open_reader(From from, std::uint64_t run) override {
    LogReaderOptions reading;
    reading.max_poll_bytes = kPollBytes;
    reading.verify_values = false;  // every payload carries a hash that is verified above
    GOPLINE_ASSIGN(auto reader, log_.make_reader(reading));
    std::vector<std::pair<TopicPartition, StartPosition>> all;
    auto topic = record::topics_of(options_.topic_namespace).segments;
    auto start = from == From::kEnd ? StartPosition::end() : StartPosition::beginning();
    for (std::int32_t i = 0; i < options_.partitions; ++i) {
      all.push_back({{topic, PartitionId(i)}, start});
    }
    GOPLINE_TRY(reader->assign(all));
    return std::make_unique<AssemblingSide>(std::move(reader), clock_, options_, run);
  }

 private:
  Log& log_;
  const Clock& clock_;
  GoplinePathOptions options_;
};

}  // namespace

std::unique_ptr<Path> make_gopline_path(Log& log, const Clock& clock, GoplinePathOptions options) {
  return std::make_unique<GoplinePath>(log, clock, std::move(options));
}

}  // namespace gopline::bench
