#include "cli/text_forms.h"

#include <gtest/gtest.h>

namespace gopline::cli {
namespace {

TEST(TextForms, time_is_utc_in_milliseconds) {
  EXPECT_EQ(show_time(Timestamp(Duration(1'700'000'000'123'456))), "2023-11-14 22:13:20.123");
  EXPECT_EQ(show_time(std::nullopt), "-");
}

TEST(TextForms, seconds) {
  EXPECT_EQ(show_seconds({90045, 90000}), "1.001") << "half a millisecond rounds up";
  EXPECT_EQ(show_seconds({-1, 2}), "-0.500");
}

TEST(TextForms, counts_in_groups) {
  EXPECT_EQ(show_count(0), "0");
  EXPECT_EQ(show_count(999), "999");
  EXPECT_EQ(show_count(1000), "1 000");
  EXPECT_EQ(show_count(-1234567), "-1 234 567");
}

TEST(TextForms, tracks) {
  media::Track video, audio;
  video.codec.type = media::MediaType::kVideo;
  video.codec.codec = "h264";
  video.codec.width = 768;
  video.codec.height = 576;
  audio.codec.type = media::MediaType::kAudio;
  audio.codec.codec = "aac";
  audio.codec.sample_rate = 44100;
  audio.codec.channel_layout = "mono";
  EXPECT_EQ(show_tracks({video, audio}), "h264 768x576 + aac 44.1 kHz mono");
}

}  // namespace
}  // namespace gopline::cli
