#include "bench/segments/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stack>

#include "bench/segments/test_results.h"

namespace gopline::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Whether every element that is opened is closed, in order, and no bare '<' or '&' is in the text.
std::string fault_in(const std::string& document) {
  std::stack<std::string> open;
  for (std::size_t i = 0; i < document.size(); ++i) {
    if (document[i] == '&') {
      auto end = document.find(';', i);
      if (end == std::string::npos || end - i > 7) return "a bare & at " + document.substr(i, 20);
    }
    if (document[i] != '<') continue;
    auto end = document.find('>', i);
    if (end == std::string::npos) return "an element without an end";
    auto tag = document.substr(i + 1, end - i - 1);
    i = end;
    if (tag.starts_with("!") || tag.ends_with("/")) continue;
    if (!tag.starts_with("/")) {
      open.push(tag.substr(0, tag.find(' ')));
    } else if (open.empty() || open.top() != tag.substr(1)) {
      return "</" + tag.substr(1) + "> closes " + (open.empty() ? "nothing" : open.top());
    } else {
      open.pop();
    }
  }
  return open.empty() ? "" : open.top() + " is not closed";
}

TEST(Report, IsWellFormedAndHasEveryCase) {
  auto results = made_results();
  auto advice = advise(results, {});
  auto html = to_html(results, &*advice);
  EXPECT_EQ(fault_in(html), "");
  EXPECT_THAT(html, HasSubstr("a &lt;fast&gt; machine &amp; friends"));
  EXPECT_THAT(html, HasSubstr("one record takes 20 MB here"));
  EXPECT_THAT(html, HasSubstr(advice->command));
  std::size_t rows = 0;
  for (auto at = html.find("<tr"); at != std::string::npos; at = html.find("<tr", at + 1)) ++rows;
  EXPECT_EQ(rows, results.cases.size() + 1);
}

TEST(Report, NeedsNothingFromElsewhere) {
  auto html = to_html(made_results(), nullptr);
  for (const char* word : {"<script", "<link", "src=", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(word)));
}

TEST(Report, ACaseWithoutFiguresIsNoPoint) {
  auto charts = charts_of(made_results());
  ASSERT_FALSE(charts.sizes.empty());
  EXPECT_TRUE(charts.durations.empty());
  const auto& through = charts.sizes.front();
  ASSERT_EQ(through.series.size(), 3U);
  EXPECT_EQ(through.series[0].points.size(), 3U) << "inline stops where a record is full";
  EXPECT_EQ(through.series[1].points.size(), 4U);
  EXPECT_TRUE(through.series[2].dashed) << "the bare client";
  EXPECT_EQ(through.series[2].slot, kRawSlot);
}

TEST(Report, AStrategyLooksAlikeInEveryChart) {
  auto results = made_results();
  results.cases.push_back(case_of("chunk@512KiB", 1'000'000, {}));
  results.cases.push_back(case_of("chunk@2MiB", 1'000'000, {}));
  std::map<std::string, int> slots;
  const auto charts = charts_of(results);
  for (const auto& chart : charts.sizes) {
    for (const auto& series : chart.series) {
      auto [known, is_new] = slots.emplace(series.name, series.slot);
      EXPECT_EQ(known->second, series.slot) << series.name;
    }
  }
  std::set<int> distinct;
  for (const auto& [name, slot] : slots) distinct.insert(slot);
  EXPECT_EQ(distinct.size(), slots.size());
}

TEST(Report, ResultsOfNothingAreAReportOfNothing) {
  EXPECT_EQ(fault_in(to_html(Results{}, nullptr)), "");
}

TEST(SvgChart, TicksAreRoundAndSpanTheValues) {
  EXPECT_THAT(linear_ticks(430), ElementsAre(0, 100, 200, 300, 400, 500));
  EXPECT_THAT(linear_ticks(0), ElementsAre(0, 1));
  auto ticks = log_ticks(3, 40);
  EXPECT_DOUBLE_EQ(ticks.front(), 2);
  EXPECT_DOUBLE_EQ(ticks.back(), 50);
  EXPECT_GE(log_ticks(5, 5).size(), 2U);
  EXPECT_GE(log_ticks(0, 0).size(), 2U);
}

TEST(SvgChart, OnePointIsDrawn) {
  Chart chart;
  chart.id = "one";
  chart.show_x = chart.show_y = [](double v) { return std::to_string(v); };
  EXPECT_EQ(to_svg(chart), "");
  chart.series.push_back({"a", 0, false, {{1, 5, 4, 6}}});
  auto svg = to_svg(chart);
  EXPECT_EQ(fault_in(svg), "");
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  chart.log_y = true;
  EXPECT_THAT(to_svg(chart), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace gopline::bench
