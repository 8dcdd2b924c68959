#include "aggregator/outputs/output_url.h"

#include <gmock/gmock.h>

namespace gopline::aggregator {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(OutputUrl, SchemesSayWhatIsSpoken) {
  for (auto [text, format] : {std::pair{"udp://239.0.0.1:5000", "mpegts"},
                              {"srt://recorder:9000?latency=200000", "mpegts"},
                              {"srt://:9000?mode=listener", "mpegts"},
                              {"rtmp://live/app/key", "flv"},
                              {"rtsps://recorder/lobby", "rtsp"}}) {
    auto url = parse_output_url(text);
    ASSERT_TRUE(url && *url) << text;
    EXPECT_EQ((*url)->format, format) << text;
    EXPECT_EQ((*url)->url, text);
  }
}

TEST(OutputUrl, AFilesNameIsNone) {
  for (const char* text : {"out.mp4", "-", "", "/srv/a:b.ts", "odd//name.mkv"}) {
    auto url = parse_output_url(text);
    ASSERT_TRUE(url) << text;
    EXPECT_FALSE(*url) << text;
  }
}

TEST(OutputUrl, WhatIsMissingIsSaid) {
  for (auto [text, form] : {std::pair{"udp://239.0.0.1", "udp://HOST:PORT"},
                            {"udp://:5000", "udp://HOST:PORT"},
                            {"srt://recorder", "srt://HOST:PORT"},
                            {"srt://recorder:none", "srt://HOST:PORT"},
                            {"srt://recorder:70000", "srt://HOST:PORT"},
                            {"rtmp://live", "rtmp://HOST[:PORT]/APPLICATION/KEY"},
                            {"rtsp://", "rtsp://HOST[:PORT]/NAME"},
                            {"rtsp:///x", "rtsp://HOST[:PORT]/NAME"},
                            {"http://server/x.ts", "there is no output http://"}}) {
    auto url = parse_output_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(url.error().message, HasSubstr(form)) << text;
  }
}

TEST(OutputUrl, WhatLetsOnePublishIsNotInItsName) {
  for (const char* text :
       {"rtmp://live/app/secret", "rtmp://live/app/secret/more?x=1", "rtmp://user:secret@live/app/key",
        "srt://recorder:9000?streamid=secret&latency=1",
        "srt://recorder:9000?latency=1&passphrase=secret-secret", "rtsp://user:secret@recorder/lobby"}) {
    auto url = parse_output_url(text);
    ASSERT_TRUE(url && *url) << text;
    EXPECT_THAT((*url)->name, Not(HasSubstr("secret")));
    EXPECT_THAT((*url)->url, HasSubstr("secret"));
  }
  EXPECT_EQ((*parse_output_url("rtmp://live/app/key"))->name, "rtmp://live/app/***");
}

}  // namespace
}  // namespace gopline::aggregator
