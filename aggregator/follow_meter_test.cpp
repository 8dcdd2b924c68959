#include "aggregator/follow_meter.h"

#include <gmock/gmock.h>

#include "common/base/test_time.h"

namespace gopline::aggregator {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const SteadyTime kArrival = SteadyTime(10h);

// A second of footage, captured three seconds after noon.
Piece piece(std::int64_t part = 0) {
  Piece piece;
  piece.at = {EpochNumber(7), 0, part};
  piece.time = kNoon + 3s;
  piece.duration = 1s;
  piece.arrival = kArrival;
  piece.data.bytes = BufferChain(Buffer::copy(std::string_view("twelve bytes")));
  return piece;
}

class FollowMeterTest : public ::testing::Test {
 protected:
  std::string text() const { return registry_.to_text(); }

  metrics::Registry registry_;
  AggregatorMetrics families_{registry_};
  FollowMeter meter_{families_.stream("lobby")};
};

TEST_F(FollowMeterTest, TheDelayIsTheWayAndTheWait) {
  meter_.put_out(piece(), kNoon + 5s, kArrival + 500ms);
  const auto& stats = meter_.stats();
  EXPECT_EQ(stats.capture_to_output.most(), Duration(2s));
  EXPECT_EQ(stats.read_to_output.most(), Duration(500ms));
  EXPECT_EQ(stats.capture_to_read.most(), Duration(1500ms));
  EXPECT_EQ(stats.reached, kNoon + 4s);
  EXPECT_THAT(text(), HasSubstr("gopline_reader_capture_to_read_seconds_sum{stream=\"lobby\"} 1.5\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_read_to_output_seconds_sum{stream=\"lobby\"} 0.5\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_capture_to_output_seconds_sum{stream=\"lobby\"} 2\n"));
}

TEST_F(FollowMeterTest, OfASegmentInPartsTheFirstCounts) {
  for (std::int64_t part : {0, 1, 2}) meter_.put_out(piece(part), kNoon + 5s, kArrival);
  EXPECT_EQ(meter_.stats().segments, 1U);
  EXPECT_EQ(meter_.stats().pieces, 3U);
  EXPECT_EQ(meter_.stats().bytes, 36U);
  EXPECT_THAT(text(), HasSubstr("gopline_reader_segments_total{stream=\"lobby\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_bytes_total{stream=\"lobby\"} 36\n"));
}

TEST_F(FollowMeterTest, AGapThatGoesOnIsOne) {
  Absence absence;
  absence.cause = AbsenceCause::kExpired;
  absence.from = kNoon;
  absence.to = kNoon + 2s;
  meter_.stated(absence, true);
  meter_.stated(absence, false);
  absence.to.reset();
  meter_.stated(absence, false);
  EXPECT_EQ(meter_.stats().gaps, 1U);
  EXPECT_THAT(text(), HasSubstr("gopline_reader_gaps_total{cause=\"expired\",stream=\"lobby\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_gap_seconds_total{cause=\"expired\",stream=\"lobby\"} 4\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_gaps_total{cause=\"lost\",stream=\"lobby\"} 0\n"));
}

TEST_F(FollowMeterTest, WhoHasReadAllDoesNotLag) {
  meter_.read(kNoon, kNoon + 30s);
  EXPECT_EQ(meter_.stats().lag, Duration(30s));
  EXPECT_EQ(meter_.stats().lag_records, std::nullopt);
  meter_.lags(12);
  EXPECT_EQ(meter_.stats().lag, Duration(30s));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_lag_records{stream=\"lobby\"} 12\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_lag_seconds{stream=\"lobby\"} 30\n"));
  meter_.lags(0);
  EXPECT_EQ(meter_.stats().lag, Duration(0));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_lag_seconds{stream=\"lobby\"} 0\n"));
}

TEST_F(FollowMeterTest, TotalsOfOthersCountAsTheyRise) {
  PlayoutStats playout;
  playout.waiting_bytes = 1000;
  playout.waiting_pieces = 3;
  playout.delay = 250ms;
  playout.drift_ppm = 50;
  meter_.update(playout, 4, 2);
  meter_.update(playout, 5, 2);
  EXPECT_THAT(text(), HasSubstr("gopline_reader_duplicates_total{stream=\"lobby\"} 5\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_late_total{stream=\"lobby\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_buffer_pieces{stream=\"lobby\"} 3\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_buffer_bytes{stream=\"lobby\"} 1000\n"));
  EXPECT_THAT(text(), HasSubstr("gopline_reader_delay_seconds{stream=\"lobby\"} 0.25\n"));
}

TEST(ReaderMetrics, AStreamLeavesWithItsLastHandle) {
  metrics::Registry registry;
  AggregatorMetrics families(registry);
  {
    auto lobby = families.stream("lobby");
    auto copy = lobby;
    EXPECT_THAT(registry.to_text(), HasSubstr("lobby"));
  }
  EXPECT_THAT(registry.to_text(), Not(HasSubstr("lobby")));
}

TEST(ReaderMetrics, OnesMadeFromNothingCountNothing) {
  FollowMeter meter;
  meter.put_out(piece(), kNoon + 5s, kArrival);
  meter.lags(3);
  EXPECT_EQ(meter.stats().pieces, 1U);
}

}  // namespace
}  // namespace gopline::aggregator
