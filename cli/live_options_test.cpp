#include "cli/live_options.h"

#include <gtest/gtest.h>

#include <fstream>

#include "common/base/test_directory.h"

namespace gopline::cli {
namespace {

TEST(WithLogin, EncodesWhatAUrlCannotHold) {
  EXPECT_EQ(with_login("rtsp://cam:554/1", "admin:p@ss/w:rd"), "rtsp://admin:p%40ss%2Fw%3Ard@cam:554/1");
  EXPECT_EQ(with_login("rtsp://cam", "a:"), "rtsp://a:@cam");
}

TEST(WithLogin, TheUrlsOwnGoesFirst) {
  EXPECT_EQ(with_login("rtsp://me:mine@cam/1", "a:b"), "rtsp://me:mine@cam/1");
  EXPECT_EQ(with_login("clip.mp4", "a:b"), "clip.mp4");
}

TEST(SourceLogin, ComesFromAFile) {
  TestDirectory folder;
  auto path = folder.path() + "/login";
  std::ofstream(path) << "admin:s3cret\r\nmore\n";
  LiveCliOptions options;
  options.credentials = path;
  EXPECT_EQ(source_login(options).value(), "admin:s3cret");
  std::ofstream(path) << "no colon\n";
  auto wrong = source_login(options);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, path + ": its first line is not USER:PASSWORD");
  options.credentials = folder.path() + "/missing";
  EXPECT_FALSE(source_login(options));
}

TEST(LiveOptions, TakeFfmpegsOptions) {
  LiveCliOptions options;
  options.input_options = {"buffer_size=2000000", "reorder_queue_size=10=1"};
  auto live = live_options_of(options).value();
  ASSERT_EQ(live.input_options.size(), 2u);
  EXPECT_EQ(live.input_options[1].second, "10=1");
  options.input_options = {"=x"};
  EXPECT_FALSE(live_options_of(options));
}

}  // namespace
}  // namespace gopline::cli
