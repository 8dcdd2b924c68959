#include "common/record/markers.h"

#include <gtest/gtest.h>

#include "common/record/test_records.h"

namespace gopline::record {
namespace {

using namespace testing;

// What was encoded, parsed and encoded again is the same bytes: nothing was lost on the way.
template <typename Marker, typename Parse>
Marker there_and_back(const Marker& marker, Parse parse) {
  auto stored = encode(marker);
  auto back = parse(stored.headers, stored.value);
  EXPECT_TRUE(back.has_value()) << back.error().message;
  if (!back) return {};
  auto again = encode(*back);
  EXPECT_EQ(again.value.text(), stored.value.text());
  EXPECT_EQ(again.headers, stored.headers);
  EXPECT_EQ(stored.key, "site-7/door-2");
  return *back;
}

std::string header(const Encoded& record, std::string_view name) {
  return std::string(find_header(record.headers, name).value_or("(none)"));
}

TEST(EpochStarted, KeepsTracksExactly) {
  auto marker = epoch_started(1LL << 40);
  auto back = there_and_back(marker, parse_epoch_started);
  ASSERT_EQ(back.tracks.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto &a = marker.tracks[i], &b = back.tracks[i];
    EXPECT_EQ(a.codec, b.codec);
    EXPECT_EQ(a.metadata, b.metadata);
    EXPECT_EQ(a.side_data, b.side_data);
    EXPECT_EQ(a.start_time, b.start_time);
    EXPECT_EQ(a.duration, b.duration);
    EXPECT_EQ(a.disposition, b.disposition);
    EXPECT_EQ(a.source_form, b.source_form);
    EXPECT_EQ(a.source_index, b.source_index);
    EXPECT_EQ(gopline::to_string(a.time_base), gopline::to_string(b.time_base));
    EXPECT_EQ(gopline::to_string(a.r_frame_rate), gopline::to_string(b.r_frame_rate));
  }
  EXPECT_EQ(back.source.start_time_us, marker.source.start_time_us);
  EXPECT_TRUE(back.source.timestamps_may_jump);
}

TEST(EpochStarted, SaysOfWhichEpochItIsTheRest) {
  auto marker = epoch_started();
  EXPECT_EQ(encode(marker).value.text().find("continues"), std::string_view::npos);
  marker.continues = Continuation{EpochNumber(7), 3, 50331648};
  auto encoded = encode(marker);
  EXPECT_EQ(parse_epoch_started(encoded.headers, encoded.value)->continues, marker.continues);
  EXPECT_NE(encoded.value.text().find(R"("continues":{"epoch":7,"segments":3,"bytes":50331648})"),
            std::string_view::npos);
}

TEST(EpochStarted, HasABaseAndNoEpoch) {
  auto stored = encode(epoch_started(12));
  EXPECT_EQ(header(stored, "ce_epochbase"), "12");
  EXPECT_EQ(header(stored, "ce_epoch"), "(none)");
  EXPECT_EQ(header(stored, "ce_id"), kWriter);
}

TEST(EpochStarted, KeepsNoSecrets) {
  auto marker = epoch_started();
  marker.source.name = "rtsp://admin:hunter2@door/stream";
  EXPECT_EQ(encode(marker).value.text().find("hunter2"), std::string_view::npos);
}

TEST(EpochStarted, FourCharactersOrANumber) {
  auto text = std::string(encode(epoch_started()).value.text());
  EXPECT_NE(text.find(R"("codec_tag":"avc1")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("codec_tag":15)"), std::string::npos);
  EXPECT_NE(text.find(R"("start_time":"-3003/30000")"), std::string::npos);
}

TEST(EpochEnded, GoesThereAndBack) {
  EpochEnded marker{"site-7/door-2",       kWriter, EpochNumber(7), kNoon,
                    EndCause::kSourceLost, 12,      3'000'000'000,  true};
  auto back = there_and_back(marker, parse_epoch_ended);
  EXPECT_EQ(back.cause, EndCause::kSourceLost);
  EXPECT_EQ(back.bytes, 3'000'000'000u);
  EXPECT_EQ(header(encode(marker), "ce_id"), "7-ended");
}

TEST(Gap, GoesThereAndBack) {
  Gap marker{
      "site-7/door-2", kWriter, EpochNumber(7), 4, kNoon, {GapCause::kOverBudget, kNoon, kNoon, 99}, false};
  EXPECT_EQ(there_and_back(marker, parse_gap).facts, marker.facts);
  EXPECT_EQ(header(encode(marker), "ce_id"), "7-gap-4");
}

TEST(IndexEntry, GoesThereAndBack) {
  auto entry = index_entry();
  EXPECT_EQ(there_and_back(entry, parse_index_entry), entry);
  entry.parts.clear();
  entry.gap.reset();
  entry.init_xxh3.clear();
  entry.dataref = "s3://bucket/key";
  EXPECT_EQ(there_and_back(entry, parse_index_entry), entry);
  EXPECT_EQ(header(encode(entry), "ce_id"), "index-7-3");
}

TEST(IndexEntry, EndsAfterItsDuration) {
  EXPECT_EQ(index_entry(0).end_time(), kNoon + std::chrono::seconds(2));
}

IndexHour hour() {
  IndexHour hour{"site-7/door-2", kWriter, EpochNumber(7),
                 "2026-11-22T12", kNoon,   kNoon + std::chrono::seconds(6),
                 150'000,         3,       1,
                 false,           {}};
  for (int i = 0; i < 3; ++i) hour.entries.push_back(index_entry(i));
  return hour;
}

TEST(IndexHour, RepeatsItsEntriesAsColumns) {
  EXPECT_EQ(there_and_back(hour(), parse_index_hour).entries, hour().entries);
  auto stored = encode(hour());
  EXPECT_NE(stored.value.text().find(R"("segment":[0,1,2])"), std::string_view::npos);
  EXPECT_EQ(header(stored, "ce_id"), "hour-7-2026-11-22T12");
  EXPECT_EQ(header(stored, "ce_segments"), "3");
  EXPECT_EQ(header(stored, "ce_from"), "2026-11-22T12:00:00.000000Z");
}

TEST(IndexHour, LeavesColumnsOutWhereTheyDoNotFit) {
  auto all = encode(hour());
  auto without_parts = encode(hour(), all.value.size() - 1);
  EXPECT_LT(without_parts.value.size(), all.value.size());
  EXPECT_EQ(parse_index_hour(without_parts.headers, without_parts.value).value().entries.size(), 3u);
  auto sums = encode(hour(), 1);
  auto back = parse_index_hour(sums.headers, sums.value).value();
  EXPECT_TRUE(back.entries.empty());
  EXPECT_EQ(back.segments, 3);
}

TEST(IndexHour, ShortColumnsAreCorrupt) {
  auto marker = hour();
  marker.segments = 4;
  auto stored = encode(marker);
  EXPECT_EQ(parse_index_hour(stored.headers, stored.value).error().code, ErrorCode::kCorrupt);
}

TEST(StreamState, GoesThereAndBack) {
  StreamState state;
  state.stream = "site-7/door-2";
  state.partition = PartitionId(5);
  state.updated = kNoon;
  there_and_back(state, parse_stream_state);  // a claim
  state.epoch = EpochNumber(7);
  state.epoch_offset = Offset(7);
  state.started = epoch_started();
  state.ended = EndCause::kStopped;
  state.ordinal = Ordinal(105);
  state.discontinuities = 3;
  state.segments = 6;
  state.bytes = 1'000;
  state.first_time = kNoon;
  state.last_time = kNoon + std::chrono::seconds(12);
  state.position = Offset(30);
  state.index_position = Offset(6);
  auto back = there_and_back(state, parse_stream_state);
  EXPECT_EQ(back.ordinal, state.ordinal);
  EXPECT_EQ(back.started->tracks.size(), 2u);
}

TEST(Markers, RefuseOtherTypesHashesAndVersions) {
  auto stored = encode(index_entry());
  EXPECT_EQ(parse_gap(stored.headers, stored.value).error().code, ErrorCode::kInvalidArgument);
  auto other = Buffer::copy(std::string_view("{}"));
  EXPECT_EQ(parse_index_entry(stored.headers, other).error().code, ErrorCode::kCorrupt);
  for (auto& h : stored.headers) {
    if (h.name == "ce_type") h.value = "gopline.index.v2";
  }
  EXPECT_EQ(parse_index_entry(stored.headers, stored.value).error().code, ErrorCode::kUnsupported);
}

// Every way in which one member may be wrong is an error that names it, never a crash.
TEST(Markers, DamagedMembersAreNamed) {
  auto stored = encode(index_entry());
  std::string text(stored.value.text());
  for (auto [from, to] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"("epoch":7)", R"("epoch":"7")"},
           {R"("epoch":7)", R"("epoch":-7)"},
           {R"("epoch":7)", R"("epoch":7.5)"},
           {R"("epoch":7)", R"("epoch":18446744073709551615)"},
           {R"("stream":"site-7/door-2")", R"("stream":"")"},
           {R"("offsets":[26,27])", R"("offsets":["a"])"},
           {R"("offsets":[26,27])", R"("offsets":{})"},
           {R"("start":"540000/90000")", R"("start":"540000")"},
           {R"("clock":"ntp")", R"("clock":null)"},
           {R"("late":false)", R"("late":"no")"},
           {R"("parts":[[1,812)", R"("parts":[[1,"812")"},
           {R"("cause":"source-outage")", R"("cause":"rain")"},
           {R"("partition":5)", R"("partition":5000000000)"},
           {R"({"stream")", R"([{"stream")"},
           {R"("time")", R"("tame")"}}) {
    auto damaged = text;
    auto at = damaged.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << text;
    damaged.replace(at, std::string_view(from).size(), to);
    auto value = Buffer::copy(damaged);
    auto headers = stored.headers;
    for (auto& h : headers) {
      if (h.name == "ce_xxh3") h.value = xxh3_hex(value.bytes());
    }
    auto parsed = parse_index_entry(headers, value);
    ASSERT_FALSE(parsed.has_value()) << to;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace gopline::record
