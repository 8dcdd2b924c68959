#include "common/record/hour_columns.h"

#include <gtest/gtest.h>

#include "common/record/test_records.h"

namespace gopline::record {
namespace {

using namespace testing;

IndexHour hour_of(std::int64_t segments) {
  IndexHour hour;
  hour.stream = "site-7/door-2";
  hour.writer = kWriter;
  hour.epoch = EpochNumber(7);
  hour.hour = "2026-11-22T12";
  hour.from = kNoon;
  for (std::int64_t i = 0; i < segments; ++i) hour.entries.push_back(index_entry(i));
  hour.segments = segments;
  hour.to = hour.entries.empty() ? kNoon : hour.entries.back().end_time();
  return hour;
}

Result<HourColumns> columns_of_text(const Encoded& stored, std::string text) {
  auto value = Buffer::copy(text);
  auto headers = stored.headers;
  for (auto& header : headers) {
    if (header.name == "ce_xxh3") header.value = xxh3_hex(value.bytes());
  }
  return HourColumns::parse(headers, value);
}

TEST(HourColumns, HaveTheSameEntriesAsTheWholeDocument) {
  auto hour = hour_of(5);
  hour.entries[1].gap.reset();
  hour.entries[2].dataref = R"(s3://a/"quoted\" ],}{[,)";
  hour.entries[3].late = !hour.entries[3].late;
  hour.entries[4].parts.clear();
  auto stored = encode(hour);
  auto columns = HourColumns::parse(stored.headers, stored.value);
  ASSERT_TRUE(columns) << columns.error().message;
  EXPECT_EQ(columns->epoch(), hour.epoch);
  ASSERT_EQ(columns->size(), hour.entries.size());
  EXPECT_TRUE(columns->has("parts"));
  for (std::size_t i = 0; i < hour.entries.size(); ++i) {
    const auto& expected = hour.entries[i];
    auto entry = columns->entry(i);
    ASSERT_TRUE(entry) << entry.error().message;
    EXPECT_EQ(*entry, expected);
    auto row = columns->row(i);
    ASSERT_TRUE(row) << row.error().message;
    EXPECT_EQ(row->segment, expected.segment);
    EXPECT_EQ(row->ordinal, expected.ordinal);
    EXPECT_EQ(row->time, expected.time);
    EXPECT_EQ(row->duration, expected.duration);
    EXPECT_EQ(row->late, expected.late);
  }
}

TEST(HourColumns, OfARollUpThatWasTooLargeAreFewerOrNone) {
  auto hour = hour_of(5);
  auto whole = encode(hour).value.size();
  auto stored = encode(hour, whole - 1);
  auto columns = HourColumns::parse(stored.headers, stored.value);
  ASSERT_TRUE(columns) << columns.error().message;
  EXPECT_FALSE(columns->has("parts"));
  EXPECT_EQ(columns->size(), 5u);
  EXPECT_TRUE(columns->row(4));
  auto entry = columns->entry(0);
  ASSERT_TRUE(entry) << entry.error().message;
  EXPECT_TRUE(entry->parts.empty());
  stored = encode(hour, 500);
  columns = HourColumns::parse(stored.headers, stored.value);
  ASSERT_TRUE(columns) << columns.error().message;
  EXPECT_EQ(columns->size(), 0u);
}

TEST(HourColumns, MayBeSpelledWithSpaces) {
  auto stored = encode(hour_of(2));
  std::string spaced;
  for (char c : stored.value.text()) {
    spaced += c;
    if (c == ',' || c == '[' || c == '{' || c == '}') spaced += " \n";
  }
  auto columns = columns_of_text(stored, spaced);
  ASSERT_TRUE(columns) << columns.error().message;
  EXPECT_EQ(*columns->entry(1), hour_of(2).entries[1]);
}

TEST(HourColumns, AreNotTakenWithAnotherHashOrType) {
  auto stored = encode(hour_of(2));
  auto text = std::string(stored.value.text());
  text[40] ^= 1;
  EXPECT_EQ(HourColumns::parse(stored.headers, Buffer::copy(text)).error().code, ErrorCode::kCorrupt);
  auto entry = encode(index_entry());
  EXPECT_EQ(HourColumns::parse(entry.headers, entry.value).error().code, ErrorCode::kInvalidArgument);
}

// Cut anywhere, or with a character that does not belong: an error, or what is still right, and never a
// crash.
TEST(HourColumns, ThatAreDamagedAreAnError) {
  auto stored = encode(hour_of(2));
  std::string text(stored.value.text());
  for (std::size_t at = 0; at + 1 < text.size(); ++at)
    EXPECT_FALSE(columns_of_text(stored, text.substr(0, at)));
  for (char c : std::string("\"[]{},:\\ 9")) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      auto damaged = text;
      damaged[at] = c;
      auto columns = columns_of_text(stored, damaged);
      for (std::size_t i = 0; columns && i < columns->size(); ++i) {
        (void)columns->row(i);
        (void)columns->entry(i);
      }
    }
  }
  for (auto [from, to] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"("segment":[0,1])", R"("segment":[0,"1"])"},
           {R"("ordinal":[100,101])", R"("ordinal":[100,-1])"},
           {R"("time":["2026)", R"("time":["x026)"},
           {R"("duration":[")", R"("duration":["x)"}}) {
    auto damaged = text;
    auto at = damaged.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << text;
    damaged.replace(at, std::string_view(from).size(), to);
    auto columns = columns_of_text(stored, damaged);
    ASSERT_TRUE(columns) << columns.error().message;
    EXPECT_FALSE(columns->row(0) && columns->row(1)) << to;
  }
  auto uneven = text;
  uneven.replace(uneven.find(R"("ordinal":[100,101])"), 19, R"("ordinal":[100    ])");
  EXPECT_FALSE(columns_of_text(stored, uneven));
}

}  // namespace
}  // namespace gopline::record
