#include "aggregator/index_coverage.h"

#include <gmock/gmock.h>

namespace gopline::aggregator {
namespace {

using ::testing::ElementsAre;
using Scope = IndexCoverage::Scope;

// Which offsets of 0 to 99 are read, when epoch `number` ends at `ends[number]`.
std::vector<std::string> read(IndexCoverage coverage, const std::map<std::int64_t, std::int64_t>& ends = {}) {
  std::vector<std::pair<std::int64_t, std::int64_t>> runs;
  Offset at(0);
  for (auto range = coverage.next(at); range && range->begin < Offset(100); range = coverage.next(at)) {
    auto end = range->end.value_or(Offset(100));
    for (at = range->begin; at < end && !coverage.has_changed(); at = at.next()) {
      if (runs.empty() || runs.back().second != at.value) runs.emplace_back(at.value, at.value);
      runs.back().second = at.value + 1;
      for (auto [number, where] : ends) {
        if (where == at.value) coverage.saw_end(EpochNumber(number));
      }
    }
  }
  std::vector<std::string> out;
  for (auto [begin, end] : runs) out.push_back(fmt::format("{}-{}", begin, end - 1));
  return out;
}

TEST(IndexCoverageTest, ReadsBehindWhatTheIndexTells) {
  IndexCoverage known(Scope::kKnownEpochs);
  known.add(EpochNumber(10), Offset(10), Offset(50));
  EXPECT_THAT(read(known, {{10, 55}}), ElementsAre("50-55"));
  EXPECT_THAT(read(known), ElementsAre("50-99")) << "its writer died, or is at work";
  IndexCoverage all(Scope::kEverything);
  all.add(EpochNumber(10), Offset(10), Offset(50));
  EXPECT_THAT(read(all, {{10, 55}}), ElementsAre("0-9", "50-99"));
}

TEST(IndexCoverageTest, ReadsBetweenTheEpochs) {
  IndexCoverage all(Scope::kEverything);
  all.add(EpochNumber(10), Offset(10), Offset(40));
  all.add(EpochNumber(50), Offset(50), Offset(90));
  EXPECT_THAT(read(all, {{10, 45}, {50, 95}}), ElementsAre("0-9", "40-49", "90-99"));
}

TEST(IndexCoverageTest, ReadsWithinAnEpochWhatASupersededWriterMayHaveWritten) {
  IndexCoverage all(Scope::kEverything);
  all.add(EpochNumber(10), Offset(10), Offset(40));
  all.add(EpochNumber(30), Offset(30), Offset(90));
  EXPECT_THAT(read(all, {{10, 60}, {30, 90}}), ElementsAre("0-9", "40-60", "90-99"));
  EXPECT_THAT(read(all), ElementsAre("0-9", "40-99")) << "nobody knows where its writer died";
}

TEST(IndexCoverageTest, ReadsHoles) {
  IndexCoverage known(Scope::kKnownEpochs);
  known.add(EpochNumber(10), Offset(10), Offset(50));
  known.add_hole(Offset(20), Offset(25));
  known.add_hole(Offset(30), Offset(30));
  EXPECT_THAT(read(known, {{10, 50}}), ElementsAre("20-24", "50-50"));
}

TEST(IndexCoverageTest, FollowsAnEpochThatTheIndexDoesNotKnow) {
  IndexCoverage all(Scope::kEverything);
  all.add(EpochNumber(10), Offset(10), Offset(90));
  all.saw(EpochNumber(5), Offset(5));
  EXPECT_THAT(read(all, {{5, 20}, {10, 95}}), ElementsAre("0-20", "90-99"));
}

TEST(IndexCoverageTest, ASurveyByHeadersAlone) {
  EXPECT_THAT(read(IndexCoverage(Offset(30))), ElementsAre("30-99"));
}

}  // namespace
}  // namespace gopline::aggregator
