#include "server/multivariant.h"

#include <gmock/gmock.h>

namespace gopline::server {
namespace {

TEST(Multivariant, what_is_better_comes_first_and_codecs_are_told_once) {
  Variant stored{"live.m3u8", 0, {}, 1920, 1080}, sound{"live.m3u8?video=h264", 0, {}, 0, 0};
  stored.need_bandwidth(2'000'000);
  stored.need_bandwidth(1'000'000);
  stored.need_codecs({"hvc1.1.6.L93.90", "mp4a.40.2"});
  stored.need_codecs({"hvc1.1.6.L93.90"});
  EXPECT_EQ(render({stored, sound}),
            "#EXTM3U\n#EXT-X-VERSION:8\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=2000000,SCORE=2.0,CODECS=\"hvc1.1.6.L93.90,mp4a.40.2\","
            "RESOLUTION=1920x1080\nlive.m3u8\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=1,SCORE=1.0\nlive.m3u8?video=h264\n");
}

}  // namespace
}  // namespace gopline::server
