#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "aggregator/recorder/recording.h"
#include "aggregator/test_stream.h"
#include "common/catalog/topic_specs.h"
#include "common/log/embedded/embedded_log.h"
#include "common/log/log.h"
#include "common/media/demuxer.h"

// Streams for tests of recorders, in any log: several of them, interleaved as cameras' are.
namespace gopline::aggregator::testing {

// Per track, the digests of packets in order.
using TrackPackets = std::map<int, std::vector<std::string>>;

inline TrackPackets digests_of(const std::vector<media::Packet>& packets) {
  TrackPackets tracks;
  for (const auto& packet : packets) tracks[packet.track].push_back(xxh3_hex(packet.data.bytes()));
  return tracks;
}

inline std::vector<media::Packet> packets_in(const std::string& path) {
  media::DemuxerOptions options;
  options.url = path;
  std::vector<media::Packet> packets;
  auto demuxer = media::Demuxer::open(options);
  EXPECT_TRUE(demuxer) << path << ": " << demuxer.error().message;
  while (demuxer) {
    auto packet = (*demuxer)->read();
    if (!packet || !*packet) break;
    packets.push_back(std::move(**packet));
  }
  return packets;
}

// The finished recordings of a stream, in the order of their names.
inline std::vector<std::string> recordings_of(const std::string& directory, const std::string& stream) {
  std::vector<std::string> paths;
  auto folder = std::filesystem::path(directory) / recording_folder(stream);
  if (!std::filesystem::is_directory(folder)) return paths;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    auto extension = file.path().extension();
    if (extension == ".mp4" || extension == ".mkv") paths.push_back(file.path().string());
  }
  std::ranges::sort(paths);
  return paths;
}

// What all recordings of a stream have in them, one after the other.
inline TrackPackets recorded(const std::string& directory, const std::string& stream) {
  TrackPackets all;
  for (const auto& path : recordings_of(directory, stream)) {
    for (const auto& [track, digests] : digests_of(packets_in(path)))
      all[track].insert(all[track].end(), digests.begin(), digests.end());
  }
  return all;
}

inline std::string json_beside(const std::string& path) {
  std::ifstream in(std::filesystem::path(path).replace_extension(".json"));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Writes streams into partition 0, record by record.
class Footage {
 public:
  explicit Footage(Log& log) : log_(log) {
    EXPECT_TRUE(catalog::ensure_topics(log, topics_, {1, {}}));
    writer_ = *log.make_writer({});
  }

  struct Epoch {
    std::string stream;
    EpochNumber number;
    Timestamp start;
    const ClipSegments* clip = nullptr;
    bool late = false;
    std::int64_t discontinuities = 0;
    std::int64_t gaps = 0;
  };

  Epoch begin(const std::string& stream, const ClipSegments& clip, Timestamp start = kNoon,
              bool late = false) {
    Epoch epoch{stream, {}, start, &clip, late, discontinuities_[stream]++, 0};
    record::EpochStarted started;
    started.stream = stream;
    started.writer = writer_of(epoch);
    started.time = start;
    started.source = clip.source;
    started.tracks = clip.tracks;
    started.content_type = is_nut(clip) ? "video/x-nut" : "video/mp4";
    started.program = "test";
    started.late = late;
    auto offset = append(record::encode(started));
    epoch.number = EpochNumber(offset.value);
    if (late) return epoch;
    record::StreamState state;
    state.stream = stream;
    state.partition = PartitionId(0);
    state.epoch = epoch.number;
    state.epoch_offset = offset;
    state.started = started;
    state.updated = start;
    append_to(topics_.streams, record::encode(state));
    return epoch;
  }

  // Segment `number` of the clip, shown at its place in it; with `parts`, only so many of its fragments,
  // which then is not its end.
  void write(Epoch& epoch, std::int64_t number, std::optional<std::size_t> parts = {}, bool damaged = false) {
    const auto& built = epoch.clip->segments[static_cast<std::size_t>(number)];
    auto bytes = built.bytes.flatten();
    record::SegmentHeaders headers;
    headers.stream = epoch.stream;
    headers.writer = writer_of(epoch);
    headers.epoch = epoch.number;
    headers.segment = SegmentNumber(number);
    headers.ordinal = Ordinal(ordinals_[epoch.stream]++);
    headers.discontinuities = epoch.discontinuities;
    auto since_start = built.first_pts - epoch.clip->segments.front().first_pts;
    headers.time = epoch.start + Duration(rescale(since_start, {1, built.timescale}, {1, 1'000'000}));
    headers.start = {built.start, built.timescale};
    headers.sap = built.sap;
    headers.late = epoch.late;
    headers.content_type = built.content_type;
    headers.last_chunk = !parts;
    if (parts) bytes = bytes.share(0, built.parts[*parts].offset);
    if (headers.last_chunk) {
      headers.duration = Rational{built.duration, built.timescale};
      headers.size = bytes.size();
    }
    headers.xxh3 = damaged ? "0123456789abcdef" : xxh3_hex(bytes.bytes());
    append_to(topics_.segments, {epoch.stream, record::encode(headers), bytes});
  }

  void gap(Epoch& epoch, record::GapCause cause, Timestamp from, Timestamp to) {
    record::Gap gap;
    gap.stream = epoch.stream;
    gap.writer = writer_of(epoch);
    gap.epoch = epoch.number;
    gap.number = epoch.gaps++;
    gap.facts = {cause, from, to, 0};
    append(record::encode(gap));
    ++epoch.discontinuities;
    ++discontinuities_[epoch.stream];
  }

  void end(const Epoch& epoch, std::int64_t segments) {
    record::EpochEnded ended;
    ended.stream = epoch.stream;
    ended.writer = writer_of(epoch);
    ended.epoch = epoch.number;
    ended.segments = segments;
    append(record::encode(ended));
  }

  void write_all(Epoch& epoch) {
    auto count = static_cast<std::int64_t>(epoch.clip->segments.size());
    for (std::int64_t i = 0; i < count; ++i) write(epoch, i);
    end(epoch, count);
  }

 private:
  static bool is_nut(const ClipSegments& clip) {
    return clip.segments.front().content_type.starts_with("video/x-nut");
  }
  static std::string writer_of(const Epoch& epoch) {
    return fmt::format("00000000-0000-4000-8000-{:012}", epoch.discontinuities + 1);
  }
  Offset append(const record::Encoded& record) { return append_to(topics_.segments, record); }
  Offset append_to(const std::string& topic, const record::Encoded& record) {
    auto at = writer_->append_and_wait({topic, PartitionId(0)},
                                       {record.key, BufferChain(record.value), record.headers, kNoon});
    EXPECT_TRUE(at);
    return at.value_or(Offset{});
  }

  Log& log_;
  record::Topics topics_ = record::topics_of();
  std::unique_ptr<LogWriter> writer_;
  std::map<std::string, std::int64_t> ordinals_, discontinuities_;
};

}  // namespace gopline::aggregator::testing
