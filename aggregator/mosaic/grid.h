#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace gopline::aggregator {

// Columns and rows, or pixels: "3x2", "1920x1080".
struct Extent {
  int width = 0;
  int height = 0;
  bool operator==(const Extent&) const = default;
};
Result<Extent> parse_extent(std::string_view text);

struct TilePlace {
  int x = 0, y = 0;
};

// Where tiles are on a canvas: row by row, all of one size, everything even, as 4:2:0 needs it.
struct Grid {
  Extent canvas, layout, tile;
  std::vector<TilePlace> places;  // one for each stream
};

inline constexpr int kMostTiles = 64;

// `layout`: nullopt: as square as it gets. kInvalidArgument: too many streams, for the layout or at all, or
// tiles that would be smaller than 16 pixels.
Result<Grid> make_grid(std::size_t streams, Extent canvas, std::optional<Extent> layout);

}  // namespace gopline::aggregator
