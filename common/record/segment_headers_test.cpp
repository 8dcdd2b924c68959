#include "common/record/segment_headers.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/record/test_records.h"

namespace gopline::record {
namespace {

using record::testing::segment_headers;

SegmentHeaders full() {
  auto h = segment_headers(1LL << 40, 3, 2);
  h.last_chunk = true;
  h.duration = Rational{180180, 90000};
  h.late = true;
  h.size = 5'000'000'000;
  h.sha256 = std::string(64, 'a');
  h.previous_sha256 = std::string(64, 'b');
  h.dataref = DataRef{"s3://bucket/key", 5'000'000'000, std::string(16, 'c')};
  h.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  return h;
}

void set(Headers& headers, std::string_view name, std::string value) {
  std::ranges::find(headers, name, &Header::name)->value = std::move(value);
}
void drop(Headers& headers, std::string_view name) {
  std::erase_if(headers, [&](const Header& h) { return h.name == name; });
}

TEST(SegmentHeaders, EveryFieldGoesThereAndBack) {
  for (const auto& h : {segment_headers(), full()}) {
    auto stored = encode(h);
    auto back = parse_segment_headers(stored);
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(encode(*back), stored);
    EXPECT_EQ(back->unknown_headers, 0);
  }
}

TEST(SegmentHeaders, AreSpelledAsTheDocumentSays) {
  auto h = encode(full());
  auto value = [&](std::string_view name) { return std::string(find_header(h, name).value_or("(none)")); };
  EXPECT_EQ(value("ce_specversion"), "1.0");
  EXPECT_EQ(value("ce_type"), "gopline.segment.v1");
  EXPECT_EQ(value("ce_source"), "/gopline/site-7%2Fdoor-2");
  EXPECT_EQ(value("ce_stream"), "site-7/door-2");
  EXPECT_EQ(value("ce_partitionkey"), "site-7/door-2");
  EXPECT_EQ(value("ce_id"), "1099511627776-3-2");
  EXPECT_EQ(value("ce_time"), "2026-11-22T12:00:06.000000Z");
  EXPECT_EQ(value("ce_clock"), "ntp");
  EXPECT_EQ(value("ce_start"), "540000/90000");
  EXPECT_EQ(value("ce_duration"), "180180/90000");
  EXPECT_EQ(value("ce_lastchunk"), "true");
  EXPECT_EQ(value("ce_late"), "true");
}

TEST(SegmentHeaders, WhatIsNotTrueIsNotWritten) {
  auto h = encode(segment_headers());
  for (const char* name :
       {"ce_lastchunk", "ce_late", "ce_size", "ce_sha256", "ce_prevsha256", "ce_dataref", "traceparent"}) {
    EXPECT_FALSE(find_header(h, name)) << name;
  }
}

TEST(SegmentHeaders, EachRequiredHeaderIsMissed) {
  for (const char* name : {"ce_source", "ce_id", "ce_stream", "ce_writer", "ce_epoch", "ce_segment",
                           "ce_chunk", "ce_ordinal", "ce_discontinuities", "ce_time", "ce_clock", "ce_start",
                           "ce_sap", "content-type", "ce_xxh3", "ce_duration", "ce_size"}) {
    auto h = encode(full());
    drop(h, name);
    auto parsed = parse_segment_headers(h);
    ASSERT_FALSE(parsed.has_value()) << name;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
  }
}

TEST(SegmentHeaders, NonsenseIsNamed) {
  for (auto [name, value] :
       std::initializer_list<std::pair<const char*, const char*>>{{"ce_epoch", "seven"},
                                                                  {"ce_epoch", "-1"},
                                                                  {"ce_segment", ""},
                                                                  {"ce_chunk", "1.5"},
                                                                  {"ce_ordinal", "99999999999999999999"},
                                                                  {"ce_time", "yesterday"},
                                                                  {"ce_clock", "sundial"},
                                                                  {"ce_start", "5"},
                                                                  {"ce_start", "5/0"},
                                                                  {"ce_sap", "7"},
                                                                  {"ce_late", "yes"},
                                                                  {"ce_lastchunk", "1"},
                                                                  {"ce_xxh3", "0123456789ABCDEF"},
                                                                  {"ce_xxh3", "123"},
                                                                  {"ce_sha256", "ff"},
                                                                  {"ce_size", "-1"},
                                                                  {"ce_dataxxh3", "x"},
                                                                  {"ce_id", "1-2-3"},
                                                                  {"ce_source", "/gopline/other"},
                                                                  {"ce_stream", "a\nb"}}) {
    auto h = encode(full());
    set(h, name, value);
    auto parsed = parse_segment_headers(h);
    ASSERT_FALSE(parsed.has_value()) << name;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(parsed.error().message.find(name[0] == 'c' ? "ce_" : name), std::string::npos)
        << parsed.error().message;
  }
}

TEST(SegmentHeaders, UnknownOnesAreCounted) {
  auto h = encode(segment_headers());
  h.push_back({"ce_weather", "rain"});
  h.push_back({"x-trace", "1"});
  EXPECT_EQ(parse_segment_headers(h).value().unknown_headers, 2);
}

TEST(SegmentHeaders, AnotherTypeOrVersionIsRefused) {
  auto h = encode(segment_headers());
  set(h, "ce_type", "gopline.gap.v1");
  EXPECT_EQ(parse_segment_headers(h).error().code, ErrorCode::kInvalidArgument);
  set(h, "ce_type", "gopline.segment.v2");
  EXPECT_EQ(parse_segment_headers(h).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace gopline::record
