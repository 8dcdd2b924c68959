#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "aggregator/follow_stream.h"
#include "aggregator/test_stream.h"
#include "common/base/test_directory.h"

// What the tests of following share.
namespace gopline::aggregator::testing {

using namespace std::chrono_literals;

// The day of the footage, so that `until` is not long ago.
class NoonClock final : public Clock {
 public:
  Timestamp now() const override { return now_; }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  void set(Timestamp now) { now_ = now; }  // before somebody looks

 private:
  Timestamp now_ = kNoon;
};

inline std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Follows a stream on a thread of its own up to an epoch of an hour later, which finish() writes.
class FollowStreamTest : public ::testing::Test {
 protected:
  void SetUp() override { stream.write_epoch(street(), {.segments = 1, .ended = false}); }

  void follow(std::optional<StreamPoint> from = {}, const std::string& name = "out.mp4",
              const std::string& format = "fmp4") {
    options.aggregate.selection.stream = kStream;
    options.aggregate.selection.from = from;
    options.aggregate.output = directory / name;
    options.aggregate.format = format;
    if (!options.until) options.until = kNoon + 1h;
    std::promise<void> ready;
    FollowEvents events;
    events.on_ready = [&] { ready.set_value(); };
    events.on_absence = [&](const Absence& absence) {
      auto which =
          absence.first_segment ? fmt::format(" {}+{}", *absence.first_segment, absence.segments) : "";
      stated.push_back(fmt::format("{}{}", to_string(absence.cause), which));
    };
    events.on_stats = [&](const FollowStats& stats) { pieces = stats.pieces; };
    auto is_ready = ready.get_future();
    thread = std::jthread([this, events](const StopToken& stop) {
      result = follow_stream(stream.log, clock, options, events, stop);
    });
    is_ready.wait();
  }

  const FollowReport& finish() {
    stream.write_epoch(street(), {.start = kNoon + 1h, .segments = 1});
    thread.join();
    EXPECT_TRUE(result) << result.error().message;
    static const FollowReport nothing;
    return result ? *result : nothing;
  }

  // What aggregate() makes of an epoch that is there.
  std::string aggregated(EpochNumber epoch) {
    AggregateOptions all;
    all.selection.stream = kStream;
    all.selection.epochs = EpochSelection::one(epoch);
    all.output = directory / "all.mp4";
    all.format = "fmp4";
    EXPECT_TRUE(aggregate(stream.log, all, {}, {}));
    return contents(all.output);
  }

  NoonClock clock;
  TestStream stream;
  TestDirectory directory;
  FollowOptions options;
  std::vector<std::string> stated;
  std::atomic<std::uint64_t> pieces = 0;  // put out so far
  Result<FollowReport> result = fail(ErrorCode::kInternal, "not ended");
  std::jthread thread;
};

}  // namespace gopline::aggregator::testing
