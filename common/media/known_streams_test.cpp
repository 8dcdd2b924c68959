#include "common/media/known_streams.h"

#include <gtest/gtest.h>

#include "common/bytes/digest.h"
#include "common/media/demuxer.h"

namespace gopline::media {
namespace {

// A live source that is a file in a loop is opened anew at its end.
class LiveLoop : public ::testing::TestWithParam<const char*> {};

struct Row {
  int track;
  std::string hash;
  std::optional<std::int64_t> shown_after;
  std::int64_t duration;
  unsigned flags;
  bool operator==(const Row&) const = default;
};

// Not live: as libavformat reads it.
std::vector<Row> rows_of(bool is_live, bool loop, std::size_t most) {
  auto demuxer =
      Demuxer::open(
          {GOPLINE_SOURCE_DIR "/media/" + std::string(LiveLoop::GetParam()), loop, {}, {}, {}, is_live})
          .value();
  std::vector<Row> rows;
  while (rows.size() < most) {
    auto packet = demuxer->read();
    EXPECT_TRUE(packet);
    if (!packet || !*packet) break;
    const auto& p = **packet;
    auto shown_after = p.pts && p.dts ? std::optional(*p.pts - *p.dts) : std::nullopt;
    rows.push_back({p.track, xxh3_hex(p.data.bytes()), shown_after, p.duration, p.flags});
  }
  return rows;
}

TEST_P(LiveLoop, EveryTurnGivesTheSamePackets) {
  auto once = rows_of(false, false, SIZE_MAX);
  auto looped = rows_of(true, true, 3 * once.size());
  ASSERT_EQ(looped.size(), 3 * once.size());
  for (std::size_t i = 0; i < looped.size(); ++i) {
    ASSERT_EQ(looped[i], once[i % once.size()])
        << "packet " << i % once.size() << " of turn " << i / once.size();
  }
}

INSTANTIATE_TEST_SUITE_P(Clips, LiveLoop,
                         ::testing::Values("street.mp4", "street_hevc.mp4", "street_av1.mp4", "cup.mp4",
                                           "bunny.mp4", "door_g711.mkv"));

TEST(KnownStreams, AnotherFileIsNotTakenForIt) {
  auto open = [](const char* path) {
    AVFormatContext* context = nullptr;
    EXPECT_EQ(avformat_open_input(&context, path, nullptr, nullptr), 0);
    return AvInputPtr(context);
  };
  auto street = open(GOPLINE_SOURCE_DIR "/media/street.mp4");
  auto hevc = open(GOPLINE_SOURCE_DIR "/media/street_hevc.mp4");
  auto again = open(GOPLINE_SOURCE_DIR "/media/street.mp4");
  EXPECT_FALSE(take_over_stream_info(*hevc, *again));
  street->streams[0]->codecpar->video_delay = 7;
  EXPECT_TRUE(take_over_stream_info(*street, *again));
  EXPECT_EQ(again->streams[0]->codecpar->video_delay, 7);
}

}  // namespace
}  // namespace gopline::media
