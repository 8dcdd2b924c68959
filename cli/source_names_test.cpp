#include "cli/source_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::cli {
namespace {

using ::testing::HasSubstr;

TEST(DefaultStream, is_the_file_name_without_its_extension) {
  EXPECT_EQ(default_stream_of("lobby.mp4"), "lobby");
  EXPECT_EQ(default_stream_of("/video/Große Halle 大厅.mkv"), "Große Halle 大厅");
  EXPECT_EQ(default_stream_of("cam.2026.ts"), "cam.2026");
  EXPECT_EQ(default_stream_of("noextension"), "noextension");
  EXPECT_EQ(default_stream_of(".hidden"), ".hidden");
  EXPECT_EQ(default_stream_of("folder/"), "folder");
  EXPECT_EQ(default_stream_of("100%.mp4"), "100%");
}

TEST(DefaultStream, of_standard_input_and_urls) {
  EXPECT_EQ(default_stream_of("-"), "stdin");
  EXPECT_EQ(default_stream_of("rtsp://user:word@cam.example:554/lobby?profile=1"), "lobby");
  EXPECT_EQ(default_stream_of("/"), "/");
}

std::string message_of(const std::vector<std::string>& sources, const std::vector<std::string>& streams) {
  auto named = name_sources(sources, streams);
  return named ? "" : named.error().message;
}

TEST(NameSources, pairs_in_order) {
  auto named = name_sources({"a.mp4", "b.mp4"}, {"site-7/door 2", "x"});
  ASSERT_TRUE(named);
  EXPECT_EQ((*named)[0].stream, "site-7/door 2");
  EXPECT_EQ((*named)[1].source, "b.mp4");
}

TEST(NameSources, refuses_two_sources_for_one_stream) {
  auto message = message_of({"a/cam.mp4", "b/cam.mkv"}, {});
  EXPECT_THAT(message, HasSubstr("'a/cam.mp4' and 'b/cam.mkv'"));
  EXPECT_THAT(message, HasSubstr("--stream"));
}

TEST(NameSources, refuses_a_count_that_does_not_match) {
  EXPECT_THAT(message_of({"a.mp4", "b.mp4"}, {"x"}), HasSubstr("2 sources but 1 stream ids"));
}

TEST(NameSources, refuses_what_is_no_stream_id) {
  EXPECT_THAT(message_of({"\xff.mp4"}, {}), HasSubstr("UTF-8"));
  EXPECT_THAT(message_of({"a.mp4"}, {""}), HasSubstr("empty"));
}

TEST(NameSources, shows_no_passwords) {
  auto message = message_of({"rtsp://u:secret@h/cam", "rtsp://u:secret@g/cam"}, {});
  EXPECT_THAT(message, testing::Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace gopline::cli
