// The golden files as our own reader sees them: stored footage stays readable, packet by packet, and what is
// written today has the same shape.
#include <algorithm>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/bytes/digest.h"
#include "common/media/segment_reader.h"
#include "common/record/chunk_assembler.h"
#include "common/record/event_type.h"
#include "tests/format/golden_case.h"

namespace gopline::golden {
namespace {

using media::packet_flags::kDiscard;
using media::packet_flags::kKey;

const std::filesystem::path kGolden = GOPLINE_SOURCE_DIR "/tests/golden/v1";

// What a packet is to a player: the columns of packets.json that every source has.
struct Row {
  std::optional<std::int64_t> pts, dts;
  std::int64_t duration = 0;
  bool key = false, discard = false;
  std::size_t size = 0;
  std::string sha256;
  std::size_t side_data = 0;
  bool operator==(const Row&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Row& r) {
  return out << "pts " << r.pts.value_or(INT64_MIN) << " dts " << r.dts.value_or(INT64_MIN) << " duration "
             << r.duration << (r.key ? " K" : "") << (r.discard ? " D" : "") << " size " << r.size << " "
             << r.sha256.substr(0, 8) << " side data " << r.side_data;
}

using Rows = std::map<int, std::vector<Row>>;  // by stream of the source

Rows truth_of(const GoldenCase& golden_case) {
  std::ifstream in(kGolden / golden_case.name / "packets.json");
  Rows rows;
  for (const auto& p : nlohmann::json::parse(in)) {
    auto time = [&](int at) {
      return p[at].is_null() ? std::nullopt : std::optional(p[at].get<std::int64_t>());
    };
    std::string flags = p[4];
    rows[p[0]].push_back({time(1), time(2), p[3], flags[0] == 'K', flags[1] == 'D', p[5], p[6], p[7].size()});
  }
  return rows;
}

// A case's segments topic, read as any reader reads it.
struct Read {
  std::map<EpochNumber, Rows> epochs;
  std::map<EpochNumber, std::vector<media::Track>> tracks;
  std::vector<std::string> lost;
  std::vector<int> saps;
  record::AssemblerStats stats;
  int gaps = 0, ended = 0, claims = 0;
};

class Reader {
 public:
  Result<Read> read(const std::vector<StoredFile>& files) {
    for (const auto& file : files) {
      if (file.topic == "blobs") blobs_[file.key] = file.value;
    }
    for (const auto& file : files) {
      if (file.topic != "segments") continue;
      for (const auto& event :
           assembler_.add({file.offset, file.timestamp, file.key, &file.headers, file.value, {}}, {})) {
        GOPLINE_TRY(take(event));
      }
    }
    for (const auto& event : assembler_.give_up_all()) GOPLINE_TRY(take(event));
    out_.stats = assembler_.stats();
    return std::move(out_);
  }

 private:
  Result<void> take(const record::AssemblerEvent& event) {
    if (auto* started = std::get_if<record::StartedEpoch>(&event))
      out_.tracks[started->epoch] = started->marker.tracks;
    if (auto* lost = std::get_if<record::LostSegment>(&event)) return take(*lost);
    if (auto* bad = std::get_if<record::BadRecord>(&event)) return tl::unexpected<Error>(bad->error);
    if (std::holds_alternative<record::WrittenGap>(event)) ++out_.gaps;
    if (std::holds_alternative<record::EndedEpoch>(event)) ++out_.ended;
    auto* segment = std::get_if<record::AssembledSegment>(&event);
    if (!segment) return {};
    out_.saps.push_back(segment->headers.sap);
    GOPLINE_ASSIGN(auto bytes, bytes_of(*segment));
    return take(segment->headers, bytes);
  }

  // What came whole of a segment that did not is read as well.
  Result<void> take(const record::LostSegment& lost) {
    out_.lost.push_back(lost.reason);
    auto bytes = lost.prefix.flatten();
    auto prefix = media::playable_prefix(bytes, lost.headers.content_type, out_.tracks[lost.headers.epoch]);
    return prefix ? take(lost.headers, bytes.share(0, prefix->size)) : Result<void>{};
  }

  Result<void> take(const record::SegmentHeaders& headers, const Buffer& bytes) {
    const auto& tracks = out_.tracks[headers.epoch];
    GOPLINE_ASSIGN(auto packets, media::unpack_segment(bytes, headers.content_type, tracks));
    for (const auto& p : packets) {
      out_.epochs[headers.epoch][tracks[static_cast<std::size_t>(p.track)].source_index].push_back(
          {p.pts, p.dts, p.duration, (p.flags & kKey) != 0, (p.flags & kDiscard) != 0, p.data.size(),
           sha256_hex(p.data.bytes()), p.side_data.size()});
    }
    return {};
  }

  Result<Buffer> bytes_of(const record::AssembledSegment& segment) {
    if (segment.datarefs.empty()) return segment.bytes.flatten();
    const auto& reference = segment.datarefs.front();
    ++out_.claims;
    GOPLINE_ASSIGN(auto path, percent_decode(reference.uri));
    for (const auto& [key, bytes] : blobs_) {
      if (!path.ends_with("/" + key)) continue;
      if (bytes.size() == reference.size && xxh3_hex(bytes.bytes()) == reference.xxh3) return bytes;
    }
    return fail(ErrorCode::kNotFound, "{}", reference.uri);
  }

  record::ChunkAssembler assembler_;
  std::map<std::string, Buffer> blobs_;
  Read out_;
};

class Golden : public ::testing::TestWithParam<GoldenCase> {};

void expect_truth(const Rows& read, const Rows& truth, bool whole) {
  for (const auto& [stream, rows] : truth) {
    auto found = read.find(stream);
    ASSERT_NE(found, read.end()) << "stream " << stream;
    if (whole) {
      ASSERT_EQ(found->second.size(), rows.size()) << "stream " << stream;
    }
    for (std::size_t i = 0; i < found->second.size(); ++i)
      EXPECT_EQ(found->second[i], rows[i]) << stream << ": " << i;
  }
}

TEST_P(Golden, ReadsAsItWasWritten) {
  auto files = load(kGolden / GetParam().name);
  ASSERT_TRUE(files.has_value()) << files.error().message;
  auto read = Reader().read(*files);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(
      read->stats.corrupt + read->stats.conflicts + read->stats.duplicates + read->stats.unknown_headers, 0u);
  auto truth = truth_of(GetParam());
  bool many = GetParam().name == "epochs", three = GetParam().name == "claims";
  bool parts = GetParam().name == "low_latency";
  EXPECT_EQ(read->epochs.size(), many ? 4u : three ? 3u : parts ? 2u : 1u);
  EXPECT_EQ(read->lost.size(), many ? 1u : parts ? 2u : 0u);
  EXPECT_EQ(read->gaps, many || parts ? 1 : 0);
  EXPECT_EQ(read->ended, many || three ? 3 : 1);
  for (const auto& [epoch, rows] : read->epochs)
    expect_truth(rows, truth, epoch != EpochNumber(11) && !parts);
}

// Every marker of every topic parses and says the same when it is written again.
TEST_P(Golden, MarkersAreWrittenBackTheSame) {
  auto files = load(kGolden / GetParam().name).value();
  std::erase_if(files, [](const StoredFile& file) { return file.topic == "blobs"; });
  for (const auto& file : files) {
    auto again = [&]() -> Result<record::Encoded> {
      auto encoded = [](const auto& marker) { return record::encode(marker); };
      switch (record::event_type_of(file.headers).value()) {
        case record::EventType::kEpochStarted:
          return record::parse_epoch_started(file.headers, file.value).map(encoded);
        case record::EventType::kEpochEnded:
          return record::parse_epoch_ended(file.headers, file.value).map(encoded);
        case record::EventType::kGap:
          return record::parse_gap(file.headers, file.value).map(encoded);
        case record::EventType::kIndex:
          return record::parse_index_entry(file.headers, file.value).map(encoded);
        case record::EventType::kIndexHour:
          return record::parse_index_hour(file.headers, file.value).map(encoded);
        case record::EventType::kStream:
          return record::parse_stream_state(file.headers, file.value).map(encoded);
        default:
          return record::parse_segment_headers(file.headers).map([&](const auto& h) {
            return record::Encoded{h.stream, record::encode(h), file.value};
          });
      }
    }();
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(again->headers, file.headers);
    EXPECT_EQ(again->value.text(), file.value.text());
    EXPECT_EQ(again->key, file.key);
  }
}

// Headers whose values depend on bytes that FFmpeg's versions write differently (the init), or on the
// program's version.
bool depends_on_libraries(const std::string& name) {
  return name == "ce_xxh3" || name == "ce_size" || name == "ce_sha256" || name == "ce_prevsha256" ||
         name == "ce_bytes" || name == "ce_dataref" || name == "ce_datasize" || name == "ce_dataxxh3";
}

TEST_P(Golden, WrittenTodayItHasTheSameShape) {
  auto stored = load(kGolden / GetParam().name).value();
  auto written = write_case(kGolden, GetParam());
  ASSERT_TRUE(written.has_value()) << written.error().message;
  // The byte-split case is cut where records are full, which moves with the init's size.
  if (GetParam().name == "continuation") {
    stored.clear();
  } else {
    ASSERT_EQ(written->size(), stored.size());
  }
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto &a = stored[i], &b = (*written)[i];
    EXPECT_EQ(a.topic, b.topic);
    EXPECT_EQ(a.offset, b.offset);
    // Index entries and states are written when an acknowledgement has come, whenever that is.
    if (a.topic.ends_with(".segments")) {
      EXPECT_EQ(a.timestamp, b.timestamp);
    }
    ASSERT_EQ(a.headers.size(), b.headers.size()) << a.topic << " " << a.offset.value;
    for (std::size_t h = 0; h < a.headers.size(); ++h) {
      EXPECT_EQ(a.headers[h].name, b.headers[h].name);
      if (!depends_on_libraries(a.headers[h].name)) {
        EXPECT_EQ(a.headers[h].value, b.headers[h].value) << a.headers[h].name;
      }
    }
  }
  auto read = Reader().read(*written);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  auto truth = truth_of(GetParam());
  bool parts = GetParam().name == "low_latency";
  for (const auto& [epoch, rows] : read->epochs)
    expect_truth(rows, truth, epoch != EpochNumber(11) && !parts);
}

INSTANTIATE_TEST_SUITE_P(V1, Golden, ::testing::ValuesIn(golden_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(GoldenCases, ClaimsHaveEveryStrategy) {
  auto read = Reader().read(load(kGolden / "claims").value()).value();
  EXPECT_EQ(read.claims, 3);
  EXPECT_EQ(read.stats.segments, 9u);
  EXPECT_GT(read.stats.records, 3u + 3u + 6u + 6u) << "the third epoch's segments are of several chunks";
}

TEST(GoldenCases, OfPartsWhatCameWholeIsRead) {
  auto read = Reader().read(load(kGolden / "low_latency").value()).value();
  EXPECT_EQ(read.stats.segments, 3u);
  std::vector<std::size_t> pictures;
  for (const auto& [epoch, rows] : read.epochs) pictures.push_back(rows.at(0).size());
  // 25 in a second, and 8 in each of the parts behind it.
  EXPECT_EQ(pictures, (std::vector<std::size_t>{25 + 16, 50 + 8}));
}

TEST(GoldenCases, ShowWhatTheyAreNamedFor) {
  auto saps = [](const std::string& name) {
    return Reader().read(load(kGolden / name).value()).value().saps;
  };
  EXPECT_EQ(saps("h264_aac"), (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(saps("open_gop"), (std::vector<int>{1, 3, 3}));
  auto continued = saps("continuation");
  EXPECT_EQ(std::count(continued.begin() + 1, continued.end(), 0),
            static_cast<std::ptrdiff_t>(continued.size() - 1));
  auto multi_part = load(kGolden / "multi_part").value();
  auto third = std::ranges::find_if(multi_part,
                                    [](const auto& f) { return find_header(f.headers, "ce_chunk") == "2"; });
  ASSERT_NE(third, multi_part.end());
  EXPECT_EQ(third->value.text().substr(4, 4), "moof") << "a multi-part chunk begins with a whole fragment";
}

}  // namespace
}  // namespace gopline::golden
