#include "bench/segments/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "bench/segments/test_results.h"

namespace gopline::bench {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

Advice advice_for(const Results& results, const Goal& goal = {}) {
  auto advice = advise(results, goal);
  EXPECT_TRUE(advice.has_value()) << advice.error().message;
  return *advice;
}

AdvicePoint point(const Advice& advice, const std::string& subject) {
  for (const auto& p : advice.points) {
    if (p.subject == subject) return p;
  }
  ADD_FAILURE() << "no advice on " << subject;
  return {};
}

bool has_caution(const Advice& advice, const std::string& words) {
  return std::ranges::any_of(advice.cautions,
                             [&](const auto& text) { return text.find(words) != std::string::npos; });
}

TEST(Advice, SegmentsAreAsShortAsTheyAreCheap) {
  // 4 Mbit/s: 0.25 s are 125 KB, between dear and cheap; 2 s are the megabyte that is cheap.
  auto advice = advice_for(made_results());
  EXPECT_EQ(point(advice, "segment duration").value, "2s");
  EXPECT_THAT(point(advice, "segment duration").reason, HasSubstr("1 MB"));
  EXPECT_EQ(point(advice, "strategy").value, "inline");
  // Eight times the bit rate: the same megabyte is there after a quarter of a second.
  EXPECT_EQ(point(advice_for(made_results(), {16, 32e6, {}}), "segment duration").value, "0.25s");
}

TEST(Advice, ALatencyGoalBoundsTheDuration) {
  auto advice = advice_for(made_results(), {16, 4e6, std::chrono::milliseconds(600)});
  EXPECT_EQ(point(advice, "segment duration").value, "0.5s");
  EXPECT_TRUE(advice.cautions.empty()) << advice.cautions.front();
  auto impossible = advice_for(made_results(), {16, 4e6, std::chrono::milliseconds(100)});
  EXPECT_EQ(point(impossible, "segment duration").value, "0.25s");
  EXPECT_TRUE(has_caution(impossible, "cannot be met"));
}

TEST(Advice, OneRecordAsLongAsItIsNotLater) {
  EXPECT_EQ(point(advice_for(made_results()), "one record up to").value, "1 MB");
  EXPECT_THAT(point(advice_for(made_results()), "one record up to").reason, HasSubstr("80 ms"));
}

TEST(Advice, ClaimChecksFromWhereTheyPassMore) {
  auto results = made_results();
  results.environment.blobs = "/srv/blobs";
  results.cases.push_back(case_of("claim", 1'000'000, {100, 1, 20, 30}));
  results.cases.push_back(case_of("claim", 16'000'000, {900, 1, 20, 30}));
  auto advice = advice_for(results);
  EXPECT_EQ(point(advice, "beside the log from").value, "16 MB");
  EXPECT_THAT(advice.command, HasSubstr("--claim-bytes 16000000"));
  // Not for the segments themselves, which go through the log for less CPU.
  results.cases.push_back(case_of("claim", 64'000, {900, 3, 1, 30}));
  EXPECT_EQ(point(advice_for(results), "strategy").value, "inline");
  EXPECT_THAT(advice_for(results).command, Not(HasSubstr("--claim-bytes")));
}

TEST(Advice, TheChunkSizeWithTheLeastLatency) {
  auto results = made_results();
  results.cases.push_back(case_of("chunk@2MiB", 64'000'000, {290, 0.6, 60, 90}));
  EXPECT_EQ(point(advice_for(results), "chunk size").value, "2MiB");
  EXPECT_THAT(advice_for(results).command, HasSubstr("--chunk-bytes 2097152"));
}

TEST(Advice, PartitionsForTheLoadAndTheBrokers) {
  EXPECT_EQ(point(advice_for(made_results()), "partitions").value, "3") << "one for each broker";
  // 1000 streams are 500 MB/s, twice that is wanted, a partition passed 300.
  EXPECT_EQ(point(advice_for(made_results(), {1000, 4e6, {}}), "partitions").value, "4");
  EXPECT_EQ(point(advice_for(made_results(), {1, 4e6, {}}), "partitions").value, "1");
}

TEST(Advice, TooMuchLoadIsSaid) {
  EXPECT_TRUE(has_caution(advice_for(made_results(), {10'000, 4e6, {}}), "too much"));
}

TEST(Advice, PropertiesAllowForTheSegments) {
  auto advice = advice_for(made_results());
  EXPECT_THAT(advice.topic, Contains(Pair("max.message.bytes", "16777216")));
  EXPECT_THAT(advice.topic, Contains(Pair("min.insync.replicas", "2")));
  EXPECT_THAT(advice.broker, Contains(Pair("replica.fetch.max.bytes", "16777216")));
  EXPECT_THAT(advice.command, HasSubstr("--payload auto --partitions 3 --inline-bytes 1000000"));
}

TEST(Advice, DoubtfulFiguresAreCalledSo) {
  auto results = made_results();
  results.complete = false;
  results.settings.repetitions = 1;
  results.settings.warm_up = {};
  results.cases[2].repetitions[0].through_mb_s = 30;
  auto advice = advice_for(results);
  for (const char* words : {"cut short", "three repetitions", "warm-up", "differ"}) {
    EXPECT_TRUE(has_caution(advice, words)) << words;
  }
}

TEST(Advice, WithoutFiguresThereIsNone) {
  Results none;
  EXPECT_FALSE(advise(none, {}).has_value());
  auto results = made_results();
  std::erase_if(results.cases, [](const auto& c) { return !c.measured.strategy.is_raw; });
  EXPECT_FALSE(advise(results, {}).has_value()) << "the bare client's are no strategy";
}

TEST(Advice, SaysTheSameInTextAndJson) {
  auto advice = advice_for(made_results());
  auto text = to_text(advice);
  auto json = to_json(advice);
  for (const auto& p : advice.points) EXPECT_THAT(text, HasSubstr(p.subject + ": " + p.value));
  EXPECT_EQ(json["points"].size(), advice.points.size());
  EXPECT_EQ(json["topic"]["max.message.bytes"], "16777216");
}

}  // namespace
}  // namespace gopline::bench
