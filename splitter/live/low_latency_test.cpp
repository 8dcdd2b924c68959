// Parts of segments on their way from a live source to a log that takes them, is slow, fails, or is gone.
#include <thread>

#include "common/base/test_directory.h"
#include "common/media/segment_reader.h"
#include "splitter/live/connection.h"
#include "splitter/live/live_writer.h"
#include "splitter/publisher_fixture.h"

namespace gopline::splitter {
namespace {

using namespace std::chrono_literals;
using record::GapFacts;
using ::testing::ElementsAre;

constexpr int kParts = 4;
constexpr std::size_t kPartBytes = 200;

class LowLatency : public PublisherTest {
 protected:
  EpochBegin begin() {
    EpochBegin begin;
    begin.source.name = "camera";
    begin.tracks = options().tracks;
    return begin;
  }

  Timestamp at(int number, int part = 0) { return time_of(number) + part * 500ms; }

  LiveSegment part(int number, int index) {
    LiveSegment live;
    live.segment = segment(number, kPartBytes);
    live.segment.part = index;
    live.segment.last_part = index + 1 == kParts;
    live.segment.sap = index == 0 ? 1 : 0;
    live.segment.start = number * 180000 + index * 45000;
    live.segment.duration = 45000;
    live.time = at(number, index);
    live.end = at(number, index + 1);
    return live;
  }
  void push(Outbox& outbox, int number, int from = 0, int to = kParts) {
    for (int i = from; i < to; ++i) outbox.push(part(number, i));
  }

  LiveWriter writer(Outbox& outbox) {
    PublisherOptions o;
    o.stream = kStream;
    return LiveWriter(log_, clock_, o, outbox, {}, stop_.get_token());
  }
  // Writes everything that is in the outbox, and what `more` pushes meanwhile.
  Result<void> drain(Outbox& outbox, const std::function<void()>& more = {}) {
    auto writing = writer(outbox);
    Result<void> result;
    std::thread thread([&] { result = writing.run(); });
    if (more) more();
    outbox.close();
    thread.join();
    return result;
  }
  void wait_for_chunks(std::size_t count) {
    while (chunks().size() < count) std::this_thread::yield();
  }

  // The log in words: "begin", "0.1" chunk 1 of segment 0, "0.3!" its last, "gap CAUSE FROM-TO" in half
  // seconds.
  std::vector<std::string> story() {
    std::vector<std::string> out;
    for (const auto& r : records("gopline.segments")) {
      if (auto h = record::parse_segment_headers(r.headers)) {
        out.push_back(fmt::format("{}.{}{}", h->segment, h->chunk, h->last_chunk ? "!" : ""));
      } else if (auto gap = record::parse_gap(r.headers, *r.value)) {
        auto halves = [&](Timestamp time) { return (time - kStart) / 500ms; };
        out.push_back(fmt::format("gap {} {}-{}", to_string(gap->facts.cause), halves(gap->facts.from),
                                  halves(gap->facts.to)));
      } else {
        out.push_back(record::parse_epoch_started(r.headers, *r.value) ? "begin" : "end");
      }
    }
    return out;
  }

  StopSource stop_;
};

TEST_F(LowLatency, PartsAreInTheLogBeforeTheSegmentIsWhole) {
  Outbox outbox({1 << 20});
  auto done = drain(outbox, [&] {
    outbox.push(begin());
    for (int i = 0; i < kParts; ++i) {
      outbox.push(part(0, i));
      wait_for_chunks(static_cast<std::size_t>(i) + 1);
    }
    outbox.push(EpochEnd{});
  });
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(story(), ElementsAre("begin", "0.0", "0.1", "0.2", "0.3!", "end"));
  EXPECT_EQ(index().size(), 1u);
}

TEST_F(LowLatency, AGopOfWhichNothingIsInTheLogGoesWhole) {
  Outbox outbox({kPartBytes * 6});
  outbox.push(begin());
  push(outbox, 0);
  push(outbox, 1);
  outbox.push(EpochEnd{});
  EXPECT_EQ(outbox.usage().dropped_bytes, kPartBytes * 4);
  ASSERT_TRUE(drain(outbox));
  EXPECT_THAT(story(), ElementsAre("begin", "gap over-budget 0-4", "0.0", "0.1", "0.2", "0.3!", "end"));
  EXPECT_EQ(index()[0].time, at(1));
}

// Its first parts are in the log, its next ones were dropped: the rest cannot be played and is not written.
TEST_F(LowLatency, AGopWhoseFirstPartsAreInTheLogStaysUnfinished) {
  Outbox outbox({kPartBytes * 3});
  auto done = drain(outbox, [&] {
    outbox.push(begin());
    push(outbox, 0, 0, 2);
    wait_for_chunks(2);
    outbox.push(GapFacts{GapCause::kOverBudget, at(0, 2), at(0, 3), kPartBytes});  // as dropping leaves it
    push(outbox, 0, 3);
    push(outbox, 1, 0, 1);
    wait_for_chunks(3);
    push(outbox, 1, 1);
    outbox.push(EpochEnd{});
  });
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(story(), ElementsAre("begin", "0.0", "0.1", "gap over-budget 2-3", "gap over-budget 3-4", "1.0",
                                   "1.1", "1.2", "1.3!", "end"));
  EXPECT_EQ(outbox.usage().dropped_bytes, kPartBytes) << "the part that nothing precedes";
  auto entries = index();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].segment, SegmentNumber(1));
  auto stats = assemble();
  EXPECT_EQ(stats.segments, 1u);
  EXPECT_EQ(stats.lost_segments, 1u);
}

// The log refuses each part in turn: what it had of the segment stays, the segment is written again whole.
TEST_F(LowLatency, ASegmentThatTheLogBrokeOffIsWrittenAgainWhole) {
  for (int refused = 0; refused < kParts; ++refused) {
    SCOPED_TRACE(refused);
    Outbox outbox({1 << 20});
    auto before = chunks().size();
    auto done = drain(outbox, [&] {
      outbox.push(begin());
      push(outbox, 10 * refused, 0, refused);
      wait_for_chunks(before + static_cast<std::size_t>(refused));
      log_.fail_next_appends(1, {ErrorCode::kUnavailable, "no leader"});
      push(outbox, 10 * refused, refused);
      push(outbox, 10 * refused + 1);
      outbox.push(EpochEnd{});
    });
    ASSERT_TRUE(done) << done.error().message;
    for (int number : {10 * refused, 10 * refused + 1}) {
      auto is_whole = [&](const auto& entry) {
        return entry.time == at(number) && entry.offsets.size() == static_cast<std::size_t>(kParts);
      };
      auto entries = index();
      EXPECT_TRUE(std::ranges::any_of(entries, is_whole)) << number;
    }
  }
  EXPECT_EQ(assemble().corrupt, 0u);
}

TEST_F(LowLatency, PartsGoThroughTheSpillInOrder) {
  TestDirectory folder;
  Outbox outbox({kPartBytes * 2, 1 << 20, 1h}, {}, Spill::open(folder.path() + "/cam").value());
  outbox.push(begin());
  for (int i = 0; i < 3; ++i) push(outbox, i);
  outbox.push(EpochEnd{});
  EXPECT_GT(outbox.usage().spilled_bytes, kPartBytes * 10);
  ASSERT_TRUE(drain(outbox));
  EXPECT_EQ(index().size(), 3u);
  EXPECT_EQ(assemble().segments, 3u);
  EXPECT_EQ(story().size(), 2u + 3 * kParts);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() + "/cam"));
}

// Killed with the first parts of a segment in memory and the others on disk: what is on disk cannot be
// played.
TEST_F(LowLatency, TheNextRunLeavesOutPartsWhoseBeginningIsLost) {
  TestDirectory folder;
  auto spill = [&] { return Spill::open(folder.path() + "/cam").value(); };
  {
    Outbox outbox({kPartBytes * 2, 1 << 20, 1h}, {}, spill());
    outbox.push(begin());
    push(outbox, 0);
    push(outbox, 1);
  }
  Outbox next({1 << 20, 1 << 20, 1h}, {}, spill());
  ASSERT_TRUE(drain(next));
  EXPECT_THAT(story(), ElementsAre("begin", "0.0", "0.1", "0.2", "0.3!", "end"));
  EXPECT_EQ(index()[0].time, at(1));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() + "/cam"));
}

// Real pictures through a connection: what leaves is the clip, and it leaves while the GOP is open.
TEST_F(LowLatency, AConnectionHandsOverPartsOfTheOpenGop) {
  auto demuxer = media::Demuxer::open({GOPLINE_SOURCE_DIR "/media/bunny.mp4", false, {}, {}}).value();
  int main = media::main_track_of(demuxer->tracks());
  SegmenterOptions low;
  low.latency = Latency::kLow;
  Outbox outbox({64 << 20});
  Connection connection(*demuxer, clock_, low, {}, outbox);
  std::size_t packets = 0;
  auto began = clock_.now();
  std::optional<Duration> newest;
  while (auto packet = demuxer->read().value()) {
    auto base = demuxer->tracks()[static_cast<std::size_t>(packet->track)].time_base;
    Duration taken(rescale(*packet->pts, base, {1, 1'000'000}));
    if (newest && taken > *newest) clock_.advance(taken - *newest);
    newest = std::max(newest.value_or(taken), taken);
    packets += packet->track == main;
    connection.take(std::move(*packet));
    ASSERT_TRUE(connection.pass_on());
  }
  ASSERT_TRUE(connection.finish(EndCause::kSourceLost));
  outbox.close();
  BufferChain bytes;
  int parts = 0;
  std::optional<Timestamp> end;
  while (auto entry = outbox.pop({})) {
    const auto* live = std::get_if<LiveSegment>(&entry->item);
    if (!live) continue;
    EXPECT_EQ(live->segment.part, parts++);
    EXPECT_EQ(live->segment.init_size > 0, live->segment.part == 0);
    if (end) {
      EXPECT_LT(std::chrono::abs(live->time - *end), 200ms);
    }
    end = live->end;
    bytes.append(live->segment.bytes);
  }
  EXPECT_GE(parts, 12) << "one GOP of five seconds";
  EXPECT_LT(std::chrono::abs(*end - (began + 5s)), 1s);
  auto fragments = media::read_fragments(bytes.flatten(), demuxer->tracks());
  ASSERT_TRUE(fragments) << fragments.error().message;
  std::size_t stored = 0;
  std::uint32_t sequence = 0;
  for (const auto& fragment : *fragments) {
    EXPECT_EQ(fragment.sequence, ++sequence);
    if (fragment.track_id == demuxer->tracks()[static_cast<std::size_t>(main)].id)
      stored += fragment.packets.size();
  }
  EXPECT_EQ(stored, packets);
}

}  // namespace
}  // namespace gopline::splitter
