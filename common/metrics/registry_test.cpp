#include "common/metrics/registry.h"

#include <thread>

#include <gmock/gmock.h>

namespace gopline::metrics {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Registry, writes_what_was_counted_as_prometheus_reads_it) {
  Registry registry;
  auto counter = registry.counters("gopline_a_total", "A, counted").with({{"stream", "lobby"}});
  auto gauge = registry.gauges("gopline_b_bytes", "B").with({});
  counter.add();
  counter.add(2);
  gauge.set(7);
  gauge.add(-3);
  EXPECT_THAT(registry.to_text(), HasSubstr("# HELP gopline_a_total A, counted\n"
                                            "# TYPE gopline_a_total counter\n"
                                            "gopline_a_total{stream=\"lobby\"} 3\n"));
  EXPECT_THAT(registry.to_text(), HasSubstr("# TYPE gopline_b_bytes gauge\ngopline_b_bytes 4\n"));
}

TEST(Registry, puts_a_delay_into_every_bucket_from_its_own_on) {
  Registry registry;
  auto delay = registry.histograms("gopline_delay_seconds", "D", delay_buckets()).with({});
  delay.observe(30ms);
  delay.observe(-5s);
  auto text = registry.to_text();
  EXPECT_THAT(text, HasSubstr("gopline_delay_seconds_bucket{le=\"0.025\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gopline_delay_seconds_bucket{le=\"0.05\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("gopline_delay_seconds_bucket{le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("gopline_delay_seconds_count 2\n"));
  EXPECT_THAT(text, HasSubstr("gopline_delay_seconds_sum 0.03\n"));
}

TEST(Registry, escapes_what_a_stream_may_be_called) {
  Registry registry;
  auto gauge = registry.gauges("gopline_a", "A").with({{"stream", "hall \"2\"\\\n"}});
  EXPECT_THAT(registry.to_text(), HasSubstr(R"(gopline_a{stream="hall \"2\"\\\n"} 0)"));
}

TEST(Registry, a_series_goes_with_its_last_handle) {
  Registry registry;
  auto family = registry.counters("gopline_a_total", "A");
  auto kept = family.with({{"stream", "kept"}});
  {
    auto first = family.with({{"stream", "gone"}});
    first.add();
    auto second = family.with({{"stream", "gone"}});
    first = Counter();
    second.add();
    EXPECT_THAT(registry.to_text(), HasSubstr("{stream=\"gone\"} 2\n"));
  }
  EXPECT_THAT(registry.to_text(), Not(HasSubstr("gone")));
  EXPECT_THAT(registry.to_text(), HasSubstr("{stream=\"kept\"} 0\n"));
}

TEST(Registry, a_series_that_comes_back_begins_at_zero) {
  Registry registry;
  auto family = registry.counters("gopline_a_total", "A");
  family.with({{"stream", "lobby"}}).add(5);
  auto again = family.with({{"stream", "lobby"}});
  EXPECT_THAT(registry.to_text(), HasSubstr("{stream=\"lobby\"} 0\n"));
}

TEST(Registry, handles_may_outlive_it) {
  Counter counter;
  {
    Registry registry;
    counter = registry.counters("gopline_a_total", "A").with({});
  }
  counter.add();
}

TEST(Registry, a_handle_of_nothing_counts_nothing) {
  Counter().add();
  Gauge().set(1s);
  Histogram().observe(1s);
}

TEST(Registry, counts_exactly_while_series_come_and_go_and_others_look) {
  Registry registry;
  auto family = registry.counters("gopline_a_total", "A");
  auto shared = family.with({{"stream", "shared"}});
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 500; ++k) {
        family.with({{"stream", std::to_string(i % 3)}}).add();
        shared.add();
        if (k % 100 == 0) registry.to_text();
      }
    });
  }
  threads.clear();
  EXPECT_THAT(registry.to_text(), HasSubstr("{stream=\"shared\"} 4000\n"));
  EXPECT_THAT(registry.to_text(), Not(HasSubstr("{stream=\"0\"}")));
}

}  // namespace
}  // namespace gopline::metrics
