#pragma once
#include <string>
#include <string_view>

// How text looks in a terminal. Pure functions.
namespace gopline::cli {

// Text made safe to print: control and bidirectional-override characters are shown as \x1b or \u202e, what is
// not UTF-8 as U+FFFD. Stream ids come from anywhere; they must not move the cursor.
std::string printable(std::string_view text);

// Terminal cells that printable text fills: 0 for combining marks, 2 for East Asian wide characters and
// emoji, else 1.
int display_width(std::string_view utf8);

// The first `cells` cells of printable text, ending in "…" where something was cut.
std::string shorten(std::string_view utf8, int cells);

}  // namespace gopline::cli
