#include "analyzer/enrichment/table_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TableRows rows_of(const std::string& text, const std::string& path, const std::string& by = "stream") {
  auto rows = parse_table(text, path, *parse_table_key(by));
  EXPECT_TRUE(rows) << rows.error().message;
  return rows.value_or(TableRows{});
}

std::string wrong_with(const std::string& text, const std::string& path, const std::string& by = "stream") {
  auto rows = parse_table(text, path, *parse_table_key(by));
  EXPECT_FALSE(rows);
  return rows ? "" : rows.error().message;
}

TEST(TableKey, IsOneOrSeveral) {
  EXPECT_THAT(*parse_table_key("zone"), ElementsAre("zone"));
  EXPECT_THAT(*parse_table_key("stream|zone"), ElementsAre("stream", "zone"));
  for (const auto* bad : {"", "colour", "stream|", "zone|zone"}) EXPECT_FALSE(parse_table_key(bad)) << bad;
}

TEST(TableText, CsvIsAHeaderAndARowForEachKey) {
  auto rows = rows_of(
      "\xef\xbb\xbfsite,stream,note\r\n"
      "Basel,gate,\"says \"\"go\"\", then\nstop\"\r\n"
      "\r\n"
      "Bern,yard,\n",
      "sites.csv");
  EXPECT_THAT(rows, ElementsAre(Pair("gate", R"({"site":"Basel","note":"says \"go\", then\nstop"})"),
                                Pair("yard", R"({"site":"Bern"})")));
}

TEST(TableText, SeveralColumnsMayBeTheKey) {
  EXPECT_THAT(rows_of("stream,zone,name\ngate,in,entrance\ngate,out,exit\n", "z.csv", "stream|zone"),
              ElementsAre(Pair("gate|in", R"({"name":"entrance"})"), Pair("gate|out", R"({"name":"exit"})")));
}

TEST(TableText, JsonAndYamlAreRowsByKeyOrAList) {
  auto by_key = ElementsAre(Pair("gate", R"({"site":"Basel","floor":2,"open":true})"),
                            Pair("yard", R"({"name":"the yard"})"));
  EXPECT_THAT(rows_of(R"({"gate":{"site":"Basel","floor":2,"open":true},"yard":"the yard"})", "s.json"),
              by_key);
  EXPECT_THAT(rows_of("gate: {site: Basel, floor: 2, open: true}\nyard: the yard\n", "s.yaml"), by_key);
  auto listed = ElementsAre(Pair("gate", R"({"site":"Basel"})"), Pair("yard", R"({"tags":["a","7"]})"));
  EXPECT_THAT(rows_of(R"([{"stream":"gate","site":"Basel"},{"stream":"yard","tags":["a","7"]}])", "s.json"),
              listed);
  EXPECT_THAT(rows_of("- {stream: gate, site: Basel}\n- stream: yard\n  tags: [a, '7']\n", "s.yml"), listed);
  EXPECT_THAT(rows_of("{}", "s.json"), IsEmpty());
}

TEST(TableText, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(wrong_with("a,b\n", "s.csv"),
              HasSubstr("s.csv:1: there is no column 'stream'; there are a, b"));
  EXPECT_THAT(wrong_with("stream,b\nx,1\ny\n", "s.csv"), HasSubstr("s.csv:3: 1 fields, and 2 names"));
  EXPECT_THAT(wrong_with("stream,b\nx,1\n\nx,2\n", "s.csv"),
              HasSubstr("s.csv:4: 'x' is there twice; first in line 2"));
  EXPECT_THAT(wrong_with("stream,b\nx,\"1\ny,2\n", "s.csv"), HasSubstr("s.csv:2: a quoted field has no"));
  EXPECT_THAT(wrong_with("stream,b\nx,\"1\"2\n", "s.csv"), HasSubstr("s.csv:2: a quoted field goes on"));
  EXPECT_THAT(wrong_with("", "s.csv"), HasSubstr("s.csv:1:"));
  EXPECT_THAT(wrong_with("{\n\"a\": 1,\n}", "s.json"), HasSubstr("s.json:3: not JSON"));
  EXPECT_THAT(wrong_with("[1]", "s.json"), HasSubstr("expected an object"));
  EXPECT_THAT(wrong_with("7", "s.json"), HasSubstr("expected an object with a row for each key"));
  EXPECT_THAT(wrong_with("- {a: 1}\n", "s.yaml"), HasSubstr("s.yaml:1: it has no 'stream'"));
  EXPECT_THAT(wrong_with("a: 1\nb: {c\n", "s.yaml"), HasSubstr("s.yaml:"));
  EXPECT_THAT(wrong_with("a", "s.txt"), HasSubstr(".csv, .json or .yaml"));
}

}  // namespace
}  // namespace gopline::analyzer
