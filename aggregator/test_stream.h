#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aggregator/selection.h"
#include "common/base/test_time.h"
#include "common/base/text.h"
#include "common/bytes/digest.h"
#include "common/log/memory_log.h"
#include "common/media/access_point.h"
#include "common/media/demuxer.h"
#include "common/media/segment_builder.h"
#include "common/payload/blob_key.h"
#include "common/payload/blob_store.h"
#include "common/record/markers.h"
#include "common/record/segment_headers.h"
#include "common/record/topics.h"

// Streams for tests: a clip's packets cut at its key frames, written to a log in memory by hand, so that a
// test can leave anything out.
namespace gopline::aggregator::testing {

inline constexpr const char* kStream = "door";

// A clip and its segments.
struct ClipSegments {
  media::SourceInfo source;
  std::vector<media::Track> tracks;
  std::vector<media::Packet> packets;  // as the source delivers them
  std::vector<media::BuiltSegment> segments;
  std::vector<std::vector<media::Packet>> packets_of;  // by segment
};

namespace detail {

inline media::Segment segment_of(const std::vector<media::Packet>& packets, const ClipSegments& clip,
                                 const std::vector<std::int64_t>& origins) {
  media::Segment segment;
  int main = media::main_track_of(clip.tracks);
  for (int track = 0; track < static_cast<int>(clip.tracks.size()); ++track) {
    const auto base = clip.tracks[static_cast<std::size_t>(track)].time_base;
    media::Run run{track, origins[static_cast<std::size_t>(track)], {}};
    for (const auto& packet : packets) {
      if (packet.track != track) continue;
      auto dts = *packet.dts;
      run.packets.push_back(
          {packet, dts, packet.pts.value_or(dts), (dts - run.origin) * base.num, packet.duration * base.num});
    }
    for (std::size_t i = 0; i + 1 < run.packets.size(); ++i) {
      run.packets[i].duration = run.packets[i + 1].time - run.packets[i].time;
    }
    if (run.packets.empty()) continue;
    if (track == main) {
      const auto& first = run.packets.front();
      segment.sap = media::sap_type(clip.tracks[static_cast<std::size_t>(track)], first.packet);
      segment.start = first.time;
      segment.first_pts = (first.pts - run.origin) * base.num;
      segment.timescale = base.den;
      for (const auto& timed : run.packets) segment.duration += timed.duration;
    }
    segment.runs.push_back(std::move(run));
  }
  std::stable_partition(segment.runs.begin(), segment.runs.end(),
                        [&](const auto& run) { return run.track == main; });
  return segment;
}

// As a low-latency writer does: several fragments a track, in time order over all tracks.
inline void split_into_parts(media::Segment& segment, std::size_t parts) {
  std::vector<media::Run> pieces;
  for (std::size_t part = 0; part < parts; ++part) {
    for (const auto& run : segment.runs) {
      auto count = run.packets.size();
      media::Run piece{run.track, run.origin, {}};
      for (auto i = count * part / parts; i < count * (part + 1) / parts; ++i)
        piece.packets.push_back(run.packets[i]);
      if (!piece.packets.empty()) pieces.push_back(std::move(piece));
    }
  }
  segment.runs = std::move(pieces);
}

}  // namespace detail

// `name` in media/; one segment per key frame of the main track, in so many parts.
inline ClipSegments cut_clip(const std::string& name, std::size_t parts = 1) {
  ClipSegments clip;
  media::DemuxerOptions options;
  options.url = (std::filesystem::path(GOPLINE_SOURCE_DIR) / "media" / name).string();
  auto demuxer = media::Demuxer::open(options);
  if (!demuxer) return clip;
  clip.source = (*demuxer)->info();
  clip.tracks = (*demuxer)->tracks();
  for (;;) {
    auto packet = (*demuxer)->read();
    if (!packet || !*packet) break;
    clip.packets.push_back(std::move(**packet));
  }
  int main = media::main_track_of(clip.tracks);
  for (const auto& packet : clip.packets) {
    if (clip.packets_of.empty() || (packet.track == main && packet.is_key())) clip.packets_of.emplace_back();
    clip.packets_of.back().push_back(packet);
  }
  if (clip.packets_of.size() > 1 &&
      std::ranges::none_of(clip.packets_of[0], [&](const auto& p) { return p.track == main; })) {
    auto& second = clip.packets_of[1];
    second.insert(second.begin(), clip.packets_of[0].begin(), clip.packets_of[0].end());
    clip.packets_of.erase(clip.packets_of.begin());
  }
  std::vector<std::int64_t> origins(clip.tracks.size(), 0);
  std::vector<bool> seen(clip.tracks.size(), false);
  Rational t0{1 << 30, 1};
  for (const auto& packet : clip.packets) {
    t0 = std::min(
        t0, ticks_to_seconds(*packet.dts, clip.tracks[static_cast<std::size_t>(packet.track)].time_base));
  }
  for (std::size_t i = 0; i < origins.size(); ++i) origins[i] = floor_div(t0, clip.tracks[i].time_base);
  std::unique_ptr<media::SegmentBuilder> builder;
  for (const auto& packets : clip.packets_of) {
    auto segment = detail::segment_of(packets, clip, origins);
    detail::split_into_parts(segment, parts);
    if (!builder) builder = *media::SegmentBuilder::create(clip.tracks, segment);
    clip.segments.push_back(*builder->build(segment));
  }
  return clip;
}

inline const ClipSegments& street() {
  static const ClipSegments clip = cut_clip("street.mp4");
  return clip;
}

inline Selection select(EpochSelection epochs = EpochSelection::latest()) {
  Selection selection;
  selection.stream = kStream;
  selection.epochs = epochs;
  return selection;
}

// The same clip with segments that are sent in parts.
inline constexpr std::size_t kParts = 5;
inline const ClipSegments& street_in_parts() {
  static const ClipSegments clip = cut_clip("street.mp4", kParts);
  return clip;
}

struct EpochOptions {
  Timestamp start = kNoon;  // capture time of its first picture
  bool late = false;
  std::size_t chunk_bytes = 0;                           // 0: one chunk per segment
  std::size_t fragments_per_chunk = 0;                   // else, where it is not 0, a chunk for each so many
  std::map<std::int64_t, std::size_t> only_chunks = {};  // of these segments: so many, and no index entry
  std::int64_t first_chunk = 0;                          // of a segment, that is written: see write_rest()
  std::vector<std::int64_t> without = {};                // segments that are not written
  std::int64_t segments = -1;                            // that many only; -1: all
  std::optional<std::int64_t> unfinished =
      {};                               // this segment's last chunk is not written (chunk_bytes must be set)
  payload::BlobStore* blobs = nullptr;  // payloads go there, and claim checks into the log
  bool started = true;
  bool ended = true;
  bool indexed = true;
  std::map<std::int64_t, record::GapFacts> gaps =
      {};  // before these segments; number beyond the last: at the end
};

// A chunk for each part.
inline EpochOptions in_parts(std::int64_t segments = 4) {
  EpochOptions options;
  options.segments = segments;
  options.fragments_per_chunk = street_in_parts().tracks.size();
  return options;
}

// One stream in a log in memory, in partition 0, written record by record.
class TestStream {
 public:
  explicit TestStream(MemoryLogOptions options = {}) : log(std::move(options)) {
    for (const auto& topic : {topics.segments, topics.index, topics.streams}) {
      EXPECT_TRUE(log.ensure_topic({topic, 1, {}}));
    }
    writer_ = *log.make_writer({});
  }

  MemoryLog log;
  record::Topics topics = record::topics_of();
  TopicPartition where{topics.segments, PartitionId(0)};

  Offset append(const std::string& topic, const record::Encoded& record) {
    return append(topic, record.key, record.headers, record.value);
  }
  Offset append(const std::string& topic, const std::string& key, const Headers& headers,
                const Buffer& value) {
    NewRecord record{key, BufferChain(value), headers, kNoon};
    return *writer_->append_and_wait({topic, PartitionId(0)}, std::move(record));
  }

  // Writes an epoch of `clip` and returns its number.
  EpochNumber write_epoch(const ClipSegments& clip, const EpochOptions& options = {}) {
    record::EpochStarted started;
    started.stream = kStream;
    started.writer = fmt::format("00000000-0000-4000-8000-{:012}", ++writers_);
    started.time = options.start;
    started.source = clip.source;
    started.tracks = clip.tracks;
    started.content_type =
        clip.segments.front().content_type.starts_with("video/x-nut") ? "video/x-nut" : "video/mp4";
    started.program = "test";
    started.late = options.late;
    auto at = append(topics.segments, record::encode(started));
    EpochNumber epoch(at.value);
    writers_of_[epoch] = started.writer;
    if (!options.started) log.drop_record(where, at);
    go_on(clip, epoch, options);
    if (!options.late) {
      state_.epoch_offset = at;
      state_.started = started;
      write_state(epoch, options);
    }
    return epoch;
  }

  // The stream's state as it is now.
  void write_state(EpochNumber epoch, const EpochOptions& options) {
    state_.stream = kStream;
    state_.partition = PartitionId(0);
    state_.epoch = epoch;
    state_.ended = options.ended ? std::optional(record::EndCause::kEndOfInput) : std::nullopt;
    state_.ordinal = Ordinal(ordinal_ - 1);
    if (options.indexed) state_.position = log.offsets(where)->end;
    state_.updated = options.start;
    append(topics.streams, record::encode(state_));
  }

  // Writes more of an epoch: segments from `from` on, up to options.segments of all.
  void go_on(const ClipSegments& clip, EpochNumber epoch, const EpochOptions& options,
             std::int64_t from = 0) {
    const auto& writer = writers_of_[epoch];
    std::int64_t count =
        options.segments < 0 ? static_cast<std::int64_t>(clip.segments.size()) : options.segments;
    for (std::int64_t i = from; i < count; ++i) {
      write_gap(options, epoch, writer, i);
      if (std::ranges::find(options.without, i) == options.without.end())
        write_segment(clip, options, epoch, writer, i);
    }
    write_gap(options, epoch, writer, count);
    if (options.ended) {
      record::EpochEnded ended;
      ended.stream = kStream;
      ended.writer = writer;
      ended.epoch = epoch;
      ended.segments = count;
      ended.late = options.late;
      append(topics.segments, record::encode(ended));
    }
  }

  // Writes the chunks of a segment from `first_chunk` on, of which the others are there (only_chunks).
  void write_rest(const ClipSegments& clip, EpochNumber epoch, std::int64_t segment, std::int64_t first_chunk,
                  EpochOptions options) {
    options.first_chunk = first_chunk;
    --ordinal_;
    write_segment(clip, options, epoch, writers_of_[epoch], segment);
  }

  // Offsets of the chunks that were written, by epoch and segment.
  std::map<std::pair<EpochNumber, std::int64_t>, std::vector<Offset>> offsets;

 private:
  void write_gap(const EpochOptions& options, EpochNumber epoch, const std::string& writer,
                 std::int64_t before) {
    auto facts = options.gaps.find(before);
    if (facts == options.gaps.end()) return;
    record::Gap gap;
    gap.stream = kStream;
    gap.writer = writer;
    gap.epoch = epoch;
    gap.number = gaps_++;
    gap.facts = facts->second;
    append(topics.segments, record::encode(gap));
  }

  void write_segment(const ClipSegments& clip, const EpochOptions& options, EpochNumber epoch,
                     const std::string& writer, std::int64_t number) {
    const auto& built = clip.segments[static_cast<std::size_t>(number)];
    auto bytes = built.bytes.flatten();
    auto chunk_bytes = options.chunk_bytes ? options.chunk_bytes : bytes.size();
    record::SegmentHeaders headers;
    headers.stream = kStream;
    headers.writer = writer;
    headers.epoch = epoch;
    headers.segment = SegmentNumber(number);
    headers.ordinal = Ordinal(ordinal_++);
    auto since_start = built.first_pts - clip.segments.front().first_pts;
    headers.time = options.start + Duration(rescale(since_start, {1, built.timescale}, {1, 1'000'000}));
    headers.start = {built.start, built.timescale};
    headers.sap = built.sap;
    headers.late = options.late;
    headers.content_type = built.content_type;
    auto& written = offsets[{epoch, number}];
    if (options.blobs) {
      auto key = payload::to_text({"gopline", kStream, format_hour(headers.time), sha256_hex(built.bytes)});
      auto put = options.blobs->put(key, built.bytes, {});
      headers.dataref = record::DataRef{put->uri, bytes.size(), xxh3_hex(bytes.bytes())};
      headers.duration = Rational{built.duration, built.timescale};
      headers.size = bytes.size();
      headers.last_chunk = true;
      headers.xxh3 = xxh3_hex(BufferChain());
      written.push_back(append(topics.segments, kStream, record::encode(headers), Buffer()));
      if (options.indexed) write_index(headers, options, written, built.init_xxh3);
      return;
    }
    auto only = options.only_chunks.find(number);
    for (std::size_t at = 0, end = 0; at < bytes.size(); at = end, ++headers.chunk) {
      if (only != options.only_chunks.end() && static_cast<std::size_t>(headers.chunk) == only->second)
        return;
      end = std::min(at + chunk_bytes, bytes.size());
      if (options.fragments_per_chunk > 0) end = end_of_chunk(built, options, headers.chunk);
      auto chunk = bytes.share(at, end - at);
      headers.xxh3 = xxh3_hex(chunk.bytes());
      headers.last_chunk = at + chunk.size() == bytes.size();
      if (headers.last_chunk) {
        if (options.unfinished == number) return;
        headers.duration = Rational{built.duration, built.timescale};
        headers.size = bytes.size();
      }
      if (headers.chunk < options.first_chunk) continue;
      written.push_back(append(topics.segments, kStream, record::encode(headers), chunk));
    }
    if (options.indexed) write_index(headers, options, written, built.init_xxh3);
  }

  static std::size_t end_of_chunk(const media::BuiltSegment& built, const EpochOptions& options,
                                  std::int64_t chunk) {
    auto next = static_cast<std::size_t>(chunk + 1) * options.fragments_per_chunk;
    return next < built.parts.size() ? built.parts[next].offset : built.bytes.size();
  }

  void write_index(const record::SegmentHeaders& headers, const EpochOptions& options,
                   const std::vector<Offset>& at, const std::string& init_xxh3) {
    record::IndexEntry entry;
    entry.stream = kStream;
    entry.writer = headers.writer;
    entry.epoch = headers.epoch;
    entry.epoch_offset = Offset(headers.epoch.value);
    entry.segment = headers.segment;
    entry.ordinal = headers.ordinal;
    entry.late = headers.late;
    entry.partition = PartitionId(0);
    entry.offsets = at;
    entry.time = headers.time;
    entry.start = headers.start;
    entry.duration = *headers.duration;
    entry.size = *headers.size;
    if (headers.dataref) entry.dataref = headers.dataref->uri;
    entry.sap = headers.sap;
    entry.init_xxh3 = init_xxh3;
    auto gap = options.gaps.find(headers.segment.value);
    if (gap != options.gaps.end()) entry.gap = gap->second;
    append(topics.index, record::encode(entry));
  }

  std::unique_ptr<LogWriter> writer_;
  record::StreamState state_;
  int writers_ = 0;
  std::map<EpochNumber, std::string> writers_of_;
  std::int64_t gaps_ = 0;
  std::int64_t ordinal_ = 0;
};

}  // namespace gopline::aggregator::testing
