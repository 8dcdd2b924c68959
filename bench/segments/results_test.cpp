#include "bench/segments/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "bench/segments/test_results.h"

namespace gopline::bench {
namespace {

using ::testing::HasSubstr;

TEST(Results, ASpreadIsTheMedianWithTheLeastAndTheGreatest) {
  EXPECT_EQ(spread_of({3, 1, 2}), (Spread{2, 1, 3}));
  EXPECT_EQ(spread_of({4, 1}), (Spread{2.5, 1, 4}));
  EXPECT_FALSE(spread_of({}).has_value());
}

TEST(Results, GoThroughJsonUnchanged) {
  auto results = made_results();
  results.cases[0].measured.duration = std::chrono::milliseconds(500);
  results.cases[1].chosen = "chunk: because";
  results.settings.rate = 7.5;
  auto back = results_from(nlohmann::json::parse(to_json(results).dump()));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, results);
}

TEST(Results, DocumentsThatAreNoneSayWhatIsWrong) {
  EXPECT_THAT(results_from(nlohmann::json::object()).error().message, HasSubstr("format"));
  EXPECT_FALSE(results_from(nlohmann::json::array()).has_value());
  auto document = to_json(made_results());
  document["cases"][0].erase("repetitions");
  EXPECT_THAT(results_from(document).error().message, HasSubstr("repetitions"));
  document = to_json(made_results());
  document["format"] = "gopline.bench.segments.v9";
  EXPECT_EQ(results_from(document).error().code, ErrorCode::kUnsupported);
}

TEST(Results, EveryLineOfTheCsvHasTheSameColumns) {
  auto csv = to_csv(made_results());
  auto lines = std::ranges::count(csv, '\n');
  EXPECT_EQ(lines, 1 + static_cast<std::ptrdiff_t>(made_results().cases.size()));
  std::ptrdiff_t columns = -1;
  for (std::size_t begin = 0; begin < csv.size();) {
    auto end = csv.find('\n', begin);
    auto line = csv.substr(begin, end - begin);
    auto commas = std::ranges::count(line, ',');
    if (columns < 0) columns = commas;
    EXPECT_EQ(commas, columns) << line;
    begin = end + 1;
  }
}

}  // namespace
}  // namespace gopline::bench
