#pragma once
#include <string>
#include <vector>

#include "common/base/test_time.h"
#include "common/bytes/digest.h"
#include "common/record/markers.h"
#include "common/record/segment_headers.h"

// Records for tests, each valid and with every field set to something other than its default.
namespace gopline::record::testing {

inline constexpr const char* kWriter = "6f0c2b9e-4a54-4b5e-9d0e-2f1a3c5d7e90";

inline SegmentHeaders segment_headers(std::int64_t epoch = 7, std::int64_t segment = 3,
                                      std::int64_t chunk = 0) {
  SegmentHeaders h;
  h.stream = "site-7/door-2";
  h.writer = kWriter;
  h.epoch = EpochNumber(epoch);
  h.segment = SegmentNumber(segment);
  h.chunk = chunk;
  h.ordinal = Ordinal(100 + segment);
  h.discontinuities = 1;
  h.time = kNoon + std::chrono::seconds(2 * segment);
  h.clock = CaptureClock::kNtp;
  h.start = {180000 * segment, 90000};
  h.sap = 1;
  h.content_type = "video/mp4; codecs=\"avc3.64001f, mp4a.40.2\"";
  h.xxh3 = xxh3_hex(std::span<const std::uint8_t>());
  return h;
}

// The chunks of one segment made of these values, with their headers.
struct MadeRecord {
  std::string key;
  Headers headers;
  Buffer value;
};

inline std::vector<MadeRecord> segment_records(const std::vector<std::string>& values,
                                               SegmentHeaders h = segment_headers(),
                                               const std::string& previous_sha256 = {}, bool digest = false) {
  std::string all;
  for (const auto& value : values) all += value;
  std::vector<MadeRecord> out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto bytes = Buffer::copy(values[i]);
    h.chunk = static_cast<std::int64_t>(i);
    h.xxh3 = xxh3_hex(bytes.bytes());
    if (i + 1 == values.size()) {
      h.last_chunk = true;
      h.duration = Rational{180000, 90000};
      h.size = all.size();
      if (digest) h.sha256 = sha256_hex(Buffer::copy(all).bytes());
      if (!previous_sha256.empty()) h.previous_sha256 = previous_sha256;
    }
    out.push_back({h.stream, encode(h), std::move(bytes)});
  }
  return out;
}

inline media::Track video_track() {
  media::Track track;
  track.id = 1;
  track.source_index = 2;
  track.time_base = {1001, 30000};
  track.source_form = media::SourceForm::kAnnexB;
  auto& c = track.codec;
  c.type = media::MediaType::kVideo;
  c.codec = "h264";
  c.codec_tag = 0x31637661;  // avc1
  c.extradata = Buffer::copy(std::string_view("\0\0\0\1g", 5));
  c.format = "yuv420p";
  c.bit_rate = 5'000'000'000;
  c.bits_per_coded_sample = 24;
  c.bits_per_raw_sample = 8;
  c.profile = 100;
  c.level = 31;
  c.width = 160;
  c.height = 120;
  c.sample_aspect_ratio = {4, 3};
  c.field_order = "progressive";
  c.color_range = "tv";
  c.color_primaries = "bt709";
  c.color_transfer = "bt709";
  c.color_space = "bt709";
  c.chroma_location = "left";
  c.video_delay = 2;
  track.avg_frame_rate = {30000, 1001};
  track.r_frame_rate = {60000, 1001};
  track.start_time = -3;
  track.duration = 90'000;
  track.disposition = 0x01 | 0x40 | 0x4000000;
  track.side_data.push_back({6, Buffer::copy(std::string(36, '\7'))});
  track.metadata = {{"language", "deu"}, {"title", "T\xC3\xBCr"}, {"odd", "\xFF\xFE"}};
  return track;
}

inline media::Track audio_track() {
  media::Track track;
  track.id = 2;
  track.time_base = {1, 48000};
  auto& c = track.codec;
  c.type = media::MediaType::kAudio;
  c.codec = "aac";
  c.codec_tag = 15;  // as in MPEG-TS: not printable
  c.format = "fltp";
  c.channel_layout = "stereo";
  c.sample_rate = 48000;
  c.block_align = 1;
  c.frame_size = 1024;
  c.initial_padding = 1024;
  c.trailing_padding = 333;
  c.seek_preroll = 5;
  return track;
}

inline EpochStarted epoch_started(std::int64_t base = 0) {
  EpochStarted m;
  m.stream = "site-7/door-2";
  m.writer = kWriter;
  m.epoch_base = base;
  m.time = kNoon;
  m.clock = CaptureClock::kNtp;
  m.source.name = "rtsp://***@door/stream";
  m.source.format = "rtsp";
  m.source.start_time_us = -23'220;
  m.source.duration_us = 80'000'000;
  m.source.size_bytes = 123'456;
  m.source.timestamps_may_jump = true;
  m.source.metadata = {{"encoder", "Lavf59"}};
  m.tracks = {video_track(), audio_track()};
  m.content_type = "video/mp4";
  m.init_xxh3 = "0123456789abcdef";
  m.program = "gopline 0.1.0";
  return m;
}

inline IndexEntry index_entry(std::int64_t segment = 3) {
  IndexEntry e;
  e.stream = "site-7/door-2";
  e.writer = kWriter;
  e.epoch = EpochNumber(7);
  e.epoch_offset = Offset(7);
  e.segment = SegmentNumber(segment);
  e.ordinal = Ordinal(100 + segment);
  e.discontinuities = 1;
  e.partition = PartitionId(5);
  e.offsets = {Offset(20 + 2 * segment), Offset(21 + 2 * segment)};
  e.time = kNoon + std::chrono::seconds(2 * segment);
  e.clock = CaptureClock::kNtp;
  e.start = {180000 * segment, 90000};
  e.duration = {180000, 90000};
  e.size = 50'000;
  e.sap = 1;
  e.init_xxh3 = "0123456789abcdef";
  e.parts = {{1, 812, 40'000, {180000, 90000}, 1}, {2, 40'812, 9'188, {96'256, 48000}, 1}};
  e.gap = GapFacts{GapCause::kSourceOutage, kNoon, kNoon + std::chrono::seconds(2), 17};
  return e;
}

}  // namespace gopline::record::testing
