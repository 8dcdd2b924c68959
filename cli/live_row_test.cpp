#include "cli/live_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::cli {
namespace {

using namespace std::chrono_literals;
using splitter::LiveProgress;
using splitter::OutageCause;
using splitter::SourceState;
using splitter::SourceStatus;
using ::testing::HasSubstr;
using ::testing::StartsWith;

LiveProgress progress(int seconds) {
  LiveProgress p;
  p.pictures = 25 * seconds;
  p.written.bytes = 500'000ULL * static_cast<unsigned>(seconds);
  return p;
}

TEST(LiveRow, ShowsRatesOfTheLastSeconds) {
  FakeClock clock;
  clock.advance(100s);
  LiveRow row(clock);
  row.update(SourceStatus{SourceState::kLive, {}, "", {}, 0});
  std::string words;
  for (int second = 2; second <= 20; second += 2) {
    clock.advance(2s);
    words = row.update(progress(second)).words;
  }
  EXPECT_THAT(words, StartsWith("live        25.0 fps    4.00 Mbit/s   10.0 MB stored"));
}

TEST(LiveRow, SaysWhyASourceIsGone) {
  FakeClock clock;
  LiveRow row(clock);
  auto words = row.update(SourceStatus{SourceState::kWaiting, OutageCause::kHung, "no packet", 3s, 2}).words;
  EXPECT_THAT(words, StartsWith("waiting      0.0 fps"));
  EXPECT_THAT(words, HasSubstr("2 outages (hung)"));
  LiveProgress dropped;
  dropped.dropped_bytes = 5'000'000;
  EXPECT_THAT(row.update(dropped).words, HasSubstr("5.0 MB dropped"));
}

}  // namespace
}  // namespace gopline::cli
