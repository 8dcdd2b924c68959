#include "cli/table.h"

#include <gtest/gtest.h>

namespace gopline::cli {
namespace {

TEST(Table, aligns_columns) {
  Table table({{"STREAM"}, {"BYTES", Align::kRight}, {"STATE"}});
  table.add_row({"lobby", "7", "ended"});
  table.add_row({"door", "1234567", "live"});
  EXPECT_EQ(table.to_string(),
            "STREAM    BYTES  STATE\n"
            "lobby         7  ended\n"
            "door    1234567  live\n");
}

TEST(Table, aligns_by_what_is_seen) {
  Table table({{"STREAM"}, {"N", Align::kRight}});
  table.add_row({"大厅", "1"});
  table.add_row({"Größe", "2"});
  EXPECT_EQ(table.to_string(),
            "STREAM  N\n"
            "大厅    1\n"
            "Größe   2\n");
}

TEST(Table, a_cell_cannot_break_the_line) {
  Table table({{"STREAM"}});
  table.add_row({"a\nb\x1b[31m"});
  EXPECT_EQ(table.to_string(), "STREAM\na\\x0ab\\x1b[31m\n");
}

TEST(Table, fills_up_short_rows) {
  Table table({{"A"}, {"B"}});
  EXPECT_TRUE(table.empty());
  table.add_row({"1"});
  table.add_row({"1", "2", "3"});
  EXPECT_EQ(table.to_string(), "A  B\n1\n1  2\n");
}

}  // namespace
}  // namespace gopline::cli
