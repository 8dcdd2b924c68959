#include <functional>
#include <thread>

#include "common/bytes/digest.h"
#include "common/log/memory_log.h"
#include "common/media/demuxer.h"
#include "common/media/segment_builder.h"
#include "common/payload/memory_store.h"
#include "common/record/segment_headers.h"
#include "splitter/publisher.h"
#include "splitter/segmenter.h"
#include "tests/format/golden_case.h"

namespace gopline::golden {
namespace {

const Timestamp kCapture = Timestamp(std::chrono::seconds(1'795'372'200));  // 2026-11-22T18:30:00Z

// One source on its way into a log: everything but the threads and the clock of a real split.
struct Pipeline {
  std::unique_ptr<media::Demuxer> demuxer;
  std::vector<media::Segment> segments;
  std::unique_ptr<media::SegmentBuilder> builder;
};

Result<Pipeline> read_source(const std::string& path, splitter::SegmenterOptions options) {
  Pipeline pipeline;
  GOPLINE_ASSIGN(pipeline.demuxer, media::Demuxer::open({path, false, {}, {}}));
  splitter::Segmenter segmenter(pipeline.demuxer->tracks(), options);
  for (;;) {
    GOPLINE_ASSIGN(auto packet, pipeline.demuxer->read());
    if (!packet) break;
    segmenter.push(std::move(*packet));
    while (auto segment = segmenter.pop()) pipeline.segments.push_back(std::move(*segment));
  }
  segmenter.finish();
  while (auto segment = segmenter.pop()) pipeline.segments.push_back(std::move(*segment));
  if (pipeline.segments.empty()) return fail(ErrorCode::kCorrupt, "{}: no packets", path);
  GOPLINE_ASSIGN(pipeline.builder,
                 media::SegmentBuilder::create(pipeline.demuxer->tracks(), pipeline.segments.front()));
  return pipeline;
}

class CaseWriter {
 public:
  CaseWriter(std::filesystem::path golden, const GoldenCase& golden_case)
      : golden_(std::move(golden)), case_(golden_case), clock_(kCapture) {
    segmenter_.segment_duration = std::chrono::seconds(1);
  }

  Result<std::vector<StoredFile>> run() {
    if (case_.name == "continuation") segmenter_.max_segment_time = std::chrono::seconds(1);
    if (case_.name == "continuation") publisher_.max_record_bytes = 2000;  // byte-split as well
    publisher_.sha256 = case_.name == "h264_aac";
    if (case_.name == "multi_part") publisher_.parts_per_chunk = 2;  // a fragment of each track
    if (case_.name == "low_latency") segmenter_.latency = splitter::Latency::kLow;
    if (case_.name == "claims") {
      GOPLINE_TRY(write_by_every_strategy());
    } else if (case_.name == "low_latency") {
      GOPLINE_TRY(write_in_parts());
    } else if (case_.name == "epochs") {
      GOPLINE_TRY(write_epochs());
    } else {
      GOPLINE_TRY(write_epoch(1, splitter::EndCause::kEndOfInput, {}));
    }
    return records();
  }

 private:
  using BeforeSegment = std::function<Result<bool>(splitter::Publisher&, std::size_t)>;

  // One epoch of the whole source. `before` may write something before a segment, or end the epoch without a
  // close().
  Result<void> write_epoch(int run, splitter::EndCause cause, const BeforeSegment& before) {
    GOPLINE_ASSIGN(auto pipeline, read_source((golden_ / case_.name / case_.source).string(), segmenter_));
    if (case_.name == "multi_part") split_into_parts(pipeline.segments);
    auto options = publisher_;
    options.stream = "golden/" + case_.name;
    options.source = pipeline.demuxer->info();
    options.source.name = case_.source;
    options.tracks = pipeline.demuxer->tracks();
    options.init_xxh3 = pipeline.builder->init_xxh3();
    options.clock = splitter::CaptureClock::kGiven;
    options.writer = fmt::format("00000000-0000-4000-8000-{:012}", run);
    options.partitions = 1;
    GOPLINE_ASSIGN(auto publisher, splitter::Publisher::open(log_, clock_, options));
    for (std::size_t i = 0; i < pipeline.segments.size(); ++i) {
      if (before) {
        GOPLINE_ASSIGN(auto go_on, before(*publisher, i));
        if (!go_on) return {};
      }
      GOPLINE_ASSIGN(auto built, pipeline.builder->build(pipeline.segments[i]));
      auto shown = rescale(built.first_pts, {1, built.timescale}, {1, 1'000'000});
      GOPLINE_TRY(
          publisher->publish(built, kCapture + std::chrono::minutes(10 * (run - 1)) + Duration(shown), {}));
      clock_.advance(built.last_part ? std::chrono::seconds(1) : std::chrono::milliseconds(300));
    }
    GOPLINE_TRY(publisher->close(cause));
    return {};
  }

  Result<void> write_by_every_strategy() {
    publisher_.blobs = store_.get();
    publisher_.payload.chunk_bytes = 4000;
    int run = 0;
    for (auto strategy : {payload::Strategy::kInline, payload::Strategy::kClaim, payload::Strategy::kChunk}) {
      publisher_.payload.strategy = strategy;
      GOPLINE_TRY(write_epoch(++run, splitter::EndCause::kEndOfInput, {}));
    }
    return {};
  }

  // Three epochs: one ends with its source, one has a gap, one dies in the middle of a segment; a fourth
  // follows it.
  Result<void> write_epochs() {
    GOPLINE_TRY(write_epoch(1, splitter::EndCause::kSourceLost, {}));
    auto with_a_gap = [](splitter::Publisher& publisher, std::size_t i) -> Result<bool> {
      auto outage = kCapture + std::chrono::minutes(10);
      if (i == 1)
        GOPLINE_TRY(
            publisher.gap(splitter::GapCause::kSourceOutage, outage, outage + std::chrono::seconds(1), 0));
      return true;
    };
    GOPLINE_TRY(write_epoch(2, splitter::EndCause::kStopped, with_a_gap));
    auto dies_after_two = [&](splitter::Publisher&, std::size_t i) -> Result<bool> {
      if (i == 0) index_end_ = log_.records(kIndex).size();
      while (i == 2 && log_.records(kIndex).size() < index_end_ + 2)
        std::this_thread::yield();  // the same every time
      return i < 2;
    };
    GOPLINE_TRY(write_epoch(3, splitter::EndCause::kStopped, dies_after_two));
    GOPLINE_TRY(leave_half_a_segment());
    return write_epoch(4, splitter::EndCause::kEndOfInput, {});
  }

  // Two epochs: one dies after two parts of its second segment, one leaves out the rest of its third.
  Result<void> write_in_parts() {
    auto dies_in_the_second = [&](splitter::Publisher&, std::size_t i) -> Result<bool> {
      while (i == kPartsASecond + 2 && log_.records(kIndex).empty())
        std::this_thread::yield();  // the same every time
      return i < kPartsASecond + 2;
    };
    GOPLINE_TRY(write_epoch(1, splitter::EndCause::kStopped, dies_in_the_second));
    auto drops_the_rest = [&](splitter::Publisher& publisher, std::size_t i) -> Result<bool> {
      if (i < 2 * kPartsASecond + 1) return true;
      auto from = kCapture + std::chrono::minutes(10) + std::chrono::milliseconds(2400);
      GOPLINE_TRY(
          publisher.gap(splitter::GapCause::kOverBudget, from, from + std::chrono::milliseconds(600), 7));
      GOPLINE_TRY(publisher.close(splitter::EndCause::kStopped));
      return false;
    };
    return write_epoch(2, splitter::EndCause::kStopped, drops_the_rest);
  }

  // The first of several chunks of the segment after the newest: what kill -9 leaves.
  Result<void> leave_half_a_segment() {
    TopicPartition where{"gopline.segments", PartitionId(0)};
    auto newest = log_.records(where).back();
    GOPLINE_ASSIGN(auto headers, record::parse_segment_headers(newest.headers));
    BufferChain half(newest.value->share(0, newest.value->size() / 2));
    headers.segment = headers.segment.next();
    headers.ordinal = headers.ordinal.next();
    headers.last_chunk = false;
    headers.duration.reset();
    headers.size.reset();
    headers.xxh3 = xxh3_hex(half);
    GOPLINE_ASSIGN(auto writer, log_.make_writer({}));
    GOPLINE_TRY(writer->append_and_wait(where, {newest.key, half, record::encode(headers), clock_.now()}));
    return {};
  }

  // As a low-latency writer does: several fragments a track, in time order over all tracks.
  static void split_into_parts(std::vector<media::Segment>& segments) {
    constexpr std::size_t kParts = 4;
    for (auto& segment : segments) {
      std::vector<media::Run> parts;
      for (std::size_t part = 0; part < kParts; ++part) {
        for (const auto& run : segment.runs) {
          auto count = run.packets.size();
          media::Run piece{run.track, run.origin, {}};
          for (auto i = count * part / kParts; i < count * (part + 1) / kParts; ++i)
            piece.packets.push_back(run.packets[i]);
          if (!piece.packets.empty()) parts.push_back(std::move(piece));
        }
      }
      segment.runs = std::move(parts);
    }
  }

  Result<std::vector<StoredFile>> records() {
    std::vector<StoredFile> out;
    for (const char* topic : {"segments", "index", "streams"}) {
      for (auto& record : log_.records({std::string("gopline.") + topic, PartitionId(0)})) {
        out.push_back({topic, record.offset, record.where.partition, record.timestamp, record.key,
                       record.headers, record.value.value_or(Buffer())});
      }
    }
    GOPLINE_TRY(append_blobs(out));
    return out;
  }

  Result<void> append_blobs(std::vector<StoredFile>& out) {
    std::vector<payload::BlobInfo> blobs;
    GOPLINE_TRY(
        store_->list("", [&](const payload::BlobInfo& blob) { return blobs.push_back(blob), true; }, {}));
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      GOPLINE_ASSIGN(auto bytes, store_->get(blobs[i].key, {0, blobs[i].size}, {}));
      out.push_back(
          {"blobs", Offset(static_cast<std::int64_t>(i)), PartitionId(0), kCapture, blobs[i].key, {}, bytes});
    }
    return {};
  }

  std::filesystem::path golden_;
  const GoldenCase& case_;
  static constexpr std::size_t kPartsASecond = 4;  // of the case's source
  const TopicPartition kIndex{"gopline.index", PartitionId(0)};
  std::size_t index_end_ = 0;
  FakeClock clock_;
  std::unique_ptr<payload::BlobStore> store_ =
      payload::open_memory_store(std::make_shared<payload::MemoryBlobs>());
  MemoryLog log_;
  splitter::SegmenterOptions segmenter_;
  splitter::PublisherOptions publisher_;
};

}  // namespace

const std::vector<GoldenCase>& golden_cases() {
  static const std::vector<GoldenCase> kCases{
      {"h264_aac", "source.mp4"}, {"hevc", "source.mp4"},         {"av1", "source.mp4"},
      {"opus", "source.webm"},    {"g711", "source.mkv"},         {"open_gop", "source.mp4"},
      {"ts", "source.ts"},        {"continuation", "source.mp4"}, {"multi_part", "source.mp4"},
      {"nut", "source.avi"},      {"no_pts", "source.avi"},       {"epochs", "source.mp4"},
      {"claims", "source.mp4"},   {"low_latency", "source.mp4"}};
  return kCases;
}

Result<std::vector<StoredFile>> write_case(const std::filesystem::path& golden,
                                           const GoldenCase& golden_case) {
  return CaseWriter(golden, golden_case).run();
}

}  // namespace gopline::golden
