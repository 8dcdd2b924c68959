#include "cli/display_width.h"

#include <gtest/gtest.h>

namespace gopline::cli {
namespace {

TEST(DisplayWidth, counts_letters_not_bytes) {
  EXPECT_EQ(display_width(""), 0);
  EXPECT_EQ(display_width("lobby"), 5);
  EXPECT_EQ(display_width("Größe"), 5);
  EXPECT_EQ(display_width("камера"), 6);
}

TEST(DisplayWidth, wide_characters_fill_two_cells) {
  EXPECT_EQ(display_width("大厅"), 4);
  EXPECT_EQ(display_width("📷"), 2);
  EXPECT_EQ(display_width("ﾛﾋﾞｰ"), 4) << "half-width forms stay narrow";
}

TEST(DisplayWidth, combining_marks_fill_none) {
  EXPECT_EQ(display_width("e\u0301a"), 2);
}

TEST(DisplayWidth, bytes_that_are_not_utf8_count_one_each) {
  EXPECT_EQ(display_width("\xff\xc3"), 2);
}

TEST(Printable, leaves_text_alone) {
  EXPECT_EQ(printable("site-7/дверь 📷"), "site-7/дверь 📷");
}

TEST(Printable, shows_what_would_move_the_cursor) {
  EXPECT_EQ(printable("a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a");
  EXPECT_EQ(printable("\u0085\u202e"), "\\x85\\u202e");
}

TEST(Printable, replaces_what_is_not_utf8) {
  EXPECT_EQ(printable("a\xff"), "a\uFFFD");
  EXPECT_EQ(printable("\xc0\x80"), "\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD") << "surrogate";
}

TEST(Shorten, cuts_by_cells) {
  EXPECT_EQ(shorten("lobby", 5), "lobby");
  EXPECT_EQ(shorten("lobbies", 5), "lobb…");
  EXPECT_EQ(shorten("大厅大厅", 5), "大厅…");
  EXPECT_EQ(shorten("大厅大厅", 4), "大…");
  EXPECT_EQ(shorten("lobby", 0), "");
}

}  // namespace
}  // namespace gopline::cli
