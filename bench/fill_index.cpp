// fill_index LOG STREAMS DAYS SEGMENT_SECONDS: fills a log's index as STREAMS cameras would have in DAYS, up
// to now, with segments of that length: entries, a roll-up at every full hour, and the streams' states. No
// footage. For measuring what opening and looking at a long history costs.
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "cli/log_factory.h"
#include "common/base/text.h"
#include "common/catalog/topic_specs.h"
#include "common/record/markers.h"
#include "common/record/topics.h"

namespace {

using namespace gopline;

constexpr std::int64_t kScale = 90'000;
constexpr std::int32_t kPartitions = 8;
constexpr const char* kWriter = "00000000-0000-4000-8000-000000000000";

struct Camera {
  std::string stream;
  PartitionId partition;
  std::vector<record::IndexEntry> hour;
};

class Filler {
 public:
  Filler(Log& log, LogWriter& writer, int streams, int days, int seconds)
      : log_(log), writer_(writer), seconds_(seconds), end_(SystemClock().now()) {
    begin_ = end_ - std::chrono::hours(24 * days);
    for (int i = 0; i < streams; ++i)
      cameras_.push_back({fmt::format("camera-{:02}", i), PartitionId(i % kPartitions), {}});
  }

  Result<std::int64_t> run() {
    GOPLINE_TRY(catalog::ensure_topics(log_, topics_, {kPartitions, {}}));
    std::int64_t segment = 0;
    for (auto time = begin_; time < end_; time += std::chrono::seconds(seconds_), ++segment) {
      for (auto& camera : cameras_) GOPLINE_TRY(add(camera, time, segment));
    }
    for (const auto& camera : cameras_) GOPLINE_TRY(add_state(camera, segment));
    GOPLINE_TRY(writer_.flush());
    return segment * static_cast<std::int64_t>(cameras_.size());
  }

 private:
  Result<void> add(Camera& camera, Timestamp time, std::int64_t segment) {
    if (!camera.hour.empty() && format_hour(camera.hour.front().time) != format_hour(time))
      GOPLINE_TRY(add_hour(camera, time));
    record::IndexEntry entry;
    entry.stream = camera.stream;
    entry.writer = kWriter;
    entry.partition = camera.partition;
    entry.segment = SegmentNumber(segment);
    entry.ordinal = Ordinal(segment);
    entry.offsets = {Offset(segment)};
    entry.time = time;
    entry.clock = record::CaptureClock::kNtp;
    entry.start = {segment * seconds_ * kScale, kScale};
    entry.duration = {seconds_ * kScale, kScale};
    entry.size = 500'000;
    entry.sap = 1;
    entry.init_xxh3 = "0123456789abcdef";
    entry.parts = {{1, 1000, 480'000, entry.duration, 1}, {2, 481'000, 19'000, entry.duration, 0}};
    GOPLINE_TRY(append(topics_.index, camera.partition, record::encode(entry),
                       time + std::chrono::seconds(seconds_)));
    camera.hour.push_back(std::move(entry));
    return {};
  }

  Result<void> add_hour(Camera& camera, Timestamp now) {
    record::IndexHour hour;
    hour.stream = camera.stream;
    hour.writer = kWriter;
    hour.hour = format_hour(camera.hour.front().time);
    hour.from = camera.hour.front().time;
    hour.to = camera.hour.back().end_time();
    hour.segments = std::ssize(camera.hour);
    hour.bytes = 500'000ull * camera.hour.size();
    hour.entries = std::move(camera.hour);
    camera.hour.clear();
    return append(topics_.index, camera.partition, record::encode(hour, 900'000), now);
  }

  Result<void> add_state(const Camera& camera, std::int64_t segments) {
    record::StreamState state;
    state.stream = camera.stream;
    state.partition = camera.partition;
    state.epoch = EpochNumber(0);
    state.ordinal = Ordinal(segments - 1);
    state.segments = segments;
    state.bytes = 500'000ull * static_cast<std::uint64_t>(segments);
    state.first_time = begin_;
    state.last_time = end_;
    state.updated = end_;
    return append(topics_.streams, PartitionId(0), record::encode(state), end_);
  }

  Result<void> append(const std::string& topic, PartitionId partition, record::Encoded encoded,
                      Timestamp at) {
    NewRecord record;
    record.key = std::move(encoded.key);
    record.headers = std::move(encoded.headers);
    record.value = BufferChain(std::move(encoded.value));
    record.timestamp = at;
    return writer_.append({topic, partition}, std::move(record), [](const auto&) {});
  }

  Log& log_;
  LogWriter& writer_;
  const int seconds_;
  const record::Topics topics_ = record::topics_of();
  Timestamp begin_, end_;
  std::vector<Camera> cameras_;
};

Result<std::int64_t> fill(char** argv) {
  cli::LogOptions options;
  options.url = argv[1];
  GOPLINE_ASSIGN(auto log, cli::open_log(options, cli::LogUse::kWrite));
  GOPLINE_ASSIGN(auto writer, log->make_writer({}));
  return Filler(*log, *writer, std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4])).run();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: fill_index LOG STREAMS DAYS SEGMENT_SECONDS\n");
    return 2;
  }
  auto filled = fill(argv);
  if (!filled) {
    fmt::print(stderr, "fill_index: {}\n", filled.error().message);
    return 1;
  }
  fmt::print("{}\n", *filled);
  return 0;
}
