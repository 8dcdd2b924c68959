#include "splitter/live/metrics.h"

#include <thread>

#include <gmock/gmock.h>

namespace gopline::splitter {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct LiveMetric : testing::Test {
  metrics::Registry registry;
  LiveMetrics live{registry};
  SourceMetrics lobby = live.source("lobby");

  std::string states() const {
    std::string active;
    for (auto state : kSourceStates) {
      auto series =
          fmt::format("gopline_source_state{{state=\"{}\",stream=\"lobby\"}} 1\n", to_string(state));
      if (registry.to_text().find(series) != std::string::npos) active += to_string(state);
    }
    return active;
  }
};

TEST_F(LiveMetric, a_source_is_in_one_state) {
  EXPECT_EQ(states(), "connecting");
  lobby.state.set(SourceState::kLive);
  lobby.state.set(SourceState::kLive);
  EXPECT_EQ(states(), "live");
  lobby.state.set(SourceState::kWaiting);
  EXPECT_EQ(states(), "waiting");
}

TEST_F(LiveMetric, one_state_is_left_when_threads_disagree) {
  std::vector<std::jthread> threads;
  for (auto next : kSourceStates) {
    threads.emplace_back([&, next] {
      for (int i = 0; i < 2000; ++i) lobby.state.set(next);
    });
  }
  threads.clear();
  EXPECT_THAT(states(), testing::AnyOf("connecting", "live", "waiting", "stopped"));
}

TEST_F(LiveMetric, causes_are_there_before_they_happen) {
  lobby.reconnects[OutageCause::kHung].add();
  auto text = registry.to_text();
  EXPECT_THAT(text, HasSubstr("gopline_source_reconnects_total{cause=\"hung\",stream=\"lobby\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gopline_source_reconnects_total{cause=\"failed\",stream=\"lobby\"} 0\n"));
}

TEST_F(LiveMetric, a_source_goes_as_a_whole) {
  lobby = {};
  lobby.state.set(SourceState::kLive);
  EXPECT_THAT(registry.to_text(), IsEmpty());
}

}  // namespace
}  // namespace gopline::splitter
