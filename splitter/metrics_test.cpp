#include "splitter/metrics.h"

#include <thread>

#include <gmock/gmock.h>

namespace gopline::splitter {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

struct Metrics : testing::Test {
  metrics::Registry registry;
  SplitterMetrics splitter{registry};

  std::string line(const std::string& series) const {
    auto text = registry.to_text();
    auto at = text.find(series + " ");
    return at == std::string::npos
               ? "absent"
               : text.substr(at + series.size() + 1, text.find('\n', at) - at - series.size() - 1);
  }
  std::string state(const std::string& name) const {
    return line("gopline_source_state{state=\"" + name + "\",stream=\"lobby\"}");
  }
};

TEST_F(Metrics, a_stream_is_in_one_state) {
  auto lobby = splitter.stream("lobby");
  EXPECT_EQ(state("connecting"), "1");
  lobby.state.set(SourceState::kLive);
  lobby.state.set(SourceState::kLive);
  EXPECT_EQ(state("connecting"), "0");
  EXPECT_EQ(state("live"), "1");
  EXPECT_EQ(state("waiting"), "0");
  EXPECT_EQ(state("stopped"), "0");
}

TEST_F(Metrics, one_state_is_left_when_threads_disagree) {
  auto lobby = splitter.stream("lobby");
  std::vector<std::jthread> threads;
  for (auto next : kSourceStates) {
    threads.emplace_back([&, next] {
      for (int i = 0; i < 2000; ++i) lobby.state.set(next);
    });
  }
  threads.clear();
  int active = 0;
  for (auto each : kSourceStates) active += std::stoi(state(std::string(to_string(each))));
  EXPECT_EQ(active, 1);
}

TEST_F(Metrics, causes_are_there_before_they_happen) {
  auto lobby = splitter.stream("lobby");
  lobby.gaps[record::GapCause::kClock].add();
  lobby.reconnects[ReconnectCause::kHung].add();
  lobby.dropped_bytes[DropCause::kSpillAge].add(1e6);
  EXPECT_EQ(line("gopline_gaps_total{cause=\"clock\",stream=\"lobby\"}"), "1");
  EXPECT_EQ(line("gopline_gaps_total{cause=\"source-outage\",stream=\"lobby\"}"), "0");
  EXPECT_EQ(line("gopline_source_reconnects_total{cause=\"hung\",stream=\"lobby\"}"), "1");
  EXPECT_EQ(line("gopline_source_reconnects_total{cause=\"failed\",stream=\"lobby\"}"), "0");
  EXPECT_EQ(line("gopline_dropped_bytes_total{cause=\"spill-age\",stream=\"lobby\"}"), "1000000");
}

TEST_F(Metrics, streams_are_apart_and_go_alone) {
  auto lobby = splitter.stream("lobby");
  {
    auto door = splitter.stream("site-7/door");
    door.packets.add(2);
    EXPECT_EQ(line("gopline_source_packets_total{stream=\"lobby\"}"), "0");
    EXPECT_EQ(line("gopline_source_packets_total{stream=\"site-7/door\"}"), "2");
  }
  EXPECT_THAT(registry.to_text(), testing::Not(HasSubstr("door")));
  lobby = {};
  EXPECT_THAT(registry.to_text(), IsEmpty());
}

TEST_F(Metrics, none_are_counted_without_a_registry) {
  StreamMetrics nothing;
  nothing.state.set(SourceState::kLive);
  nothing.gaps[record::GapCause::kLost].add();
  nothing.capture_to_read.observe(1s);
}

// The list of causes is the record's: one that is new there has a counter here.
TEST_F(Metrics, every_cause_of_a_gap_has_its_counter) {
  for (auto cause : kGapCauses) EXPECT_EQ(record::gap_cause_from(to_string(cause)), cause);
  EXPECT_THAT(record::to_string(static_cast<record::GapCause>(kGapCauses.size())), IsEmpty());
}

}  // namespace
}  // namespace gopline::splitter
