#include "splitter/metrics.h"

#include <gmock/gmock.h>

namespace gopline::splitter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
};

TEST_F(Metrics, causes_are_there_before_they_happen) {
  auto lobby = splitter.stream("lobby");
  lobby.gaps[record::GapCause::kClock].add();
  lobby.dropped_bytes[DropCause::kOverAge].add(1e6);
  EXPECT_EQ(line("gopline_gaps_total{cause=\"clock\",stream=\"lobby\"}"), "1");
  EXPECT_EQ(line("gopline_gaps_total{cause=\"source-outage\",stream=\"lobby\"}"), "0");
  EXPECT_EQ(line("gopline_dropped_bytes_total{cause=\"over-age\",stream=\"lobby\"}"), "1000000");
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
