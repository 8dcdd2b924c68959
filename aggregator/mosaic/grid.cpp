#include "aggregator/mosaic/grid.h"

#include "common/base/text.h"

namespace gopline::aggregator {
namespace {

constexpr int kLeastTile = 16, kMostPixels = 8192;

Extent squarest(int streams) {
  int columns = 1;
  while (columns * columns < streams) ++columns;
  return {columns, (streams + columns - 1) / columns};
}

}  // namespace

Result<Extent> parse_extent(std::string_view text) {
  auto cross = text.find('x');
  if (cross != std::string_view::npos) {
    auto width = parse_int64(text.substr(0, cross)), height = parse_int64(text.substr(cross + 1));
    bool good =
        width && height && *width > 0 && *height > 0 && *width <= kMostPixels && *height <= kMostPixels;
    if (good) return Extent{static_cast<int>(*width), static_cast<int>(*height)};
  }
  return fail(ErrorCode::kInvalidArgument, "'{}' is not a width and a height, like 3x2 or 1920x1080", text);
}

Result<Grid> make_grid(std::size_t streams, Extent canvas, std::optional<Extent> layout) {
  if (streams == 0 || streams > kMostTiles)
    return fail(ErrorCode::kInvalidArgument, "{} streams do not go into one mosaic; it takes 1 to {}",
                streams, kMostTiles);
  int count = static_cast<int>(streams);
  Grid grid{canvas, layout.value_or(squarest(count)), {}, {}};
  if (canvas.width % 2 != 0 || canvas.height % 2 != 0)
    return fail(ErrorCode::kInvalidArgument, "{}x{}: width and height must be even", canvas.width,
                canvas.height);
  if (grid.layout.width * grid.layout.height < count)
    return fail(ErrorCode::kInvalidArgument, "{}x{} tiles are too few for {} streams", grid.layout.width,
                grid.layout.height, count);
  grid.tile = {canvas.width / grid.layout.width / 2 * 2, canvas.height / grid.layout.height / 2 * 2};
  if (grid.tile.width < kLeastTile || grid.tile.height < kLeastTile)
    return fail(ErrorCode::kInvalidArgument, "{}x{} pixels are too few for {}x{} tiles", canvas.width,
                canvas.height, grid.layout.width, grid.layout.height);
  for (int i = 0; i < count; ++i) {
    grid.places.push_back(
        {i % grid.layout.width * grid.tile.width, i / grid.layout.width * grid.tile.height});
  }
  return grid;
}

}  // namespace gopline::aggregator
