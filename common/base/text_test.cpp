#include "common/base/text.h"

#include <gtest/gtest.h>

namespace gopline {
namespace {

TEST(WithoutSecrets, HidesLoginsWhereverCamerasTakeThem) {
  EXPECT_EQ(without_secrets("rtsp://admin:s3cret@cam:554/1"), "rtsp://***@cam:554/1");
  EXPECT_EQ(without_secrets("rtsp://admin@cam"), "rtsp://***@cam");
  EXPECT_EQ(without_secrets("rtsp://a:p@ss@cam/1"), "rtsp://***@cam/1");
  EXPECT_EQ(without_secrets("rtsp://cam/user=admin&password=s3cret&channel=1"),
            "rtsp://cam/user=***&password=***&channel=1");
  EXPECT_EQ(without_secrets("https://cam/live?Token=abc&x=1#y"), "https://cam/live?Token=***&x=1#y");
  EXPECT_EQ(without_secrets("srt://host:9000?passphrase=long-enough"), "srt://host:9000?passphrase=***");
}

TEST(WithoutSecrets, LeavesTheRestAsItIs) {
  for (const auto* text : {"clip.mp4", "rtsp://cam:554/stream1?channel=1&subtype=0", "udp://239.0.0.1:1234",
                           "a@b", "https://host/path/a@b.mp4", "rtsp://cam/?password=", "-", ""}) {
    EXPECT_EQ(without_secrets(text), text);
  }
}

}  // namespace
}  // namespace gopline
