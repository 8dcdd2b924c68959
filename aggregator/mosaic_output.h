#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/mosaic/axis.h"
#include "aggregator/mosaic/grid.h"
#include "aggregator/mosaic/wall.h"
#include "aggregator/shared_wall.h"
#include "common/base/result.h"
#include "common/media/frames/canvas.h"
#include "common/media/frames/picture_encoder.h"
#include "common/media/frames/sound_encoder.h"
#include "common/media/frames/tile_painter.h"
#include "common/media/muxer.h"

namespace gopline::aggregator {

struct MosaicOutputOptions {
  std::string output, format;  // `format` as media::container_format gives it
  Axis axis;
  Grid grid;
  media::TileOptions painting;
  std::vector<std::string> streams;  // names, for tiles without a signal
  bool sound = false;
  bool live = false;  // what is written leaves at once
};

// Instants to a file: tiles onto the canvas, the canvas and its sound through encoders, packets into the
// container. Not thread-safe.
class MosaicOutput {
 public:
  static Result<std::unique_ptr<MosaicOutput>> open(MosaicOutputOptions options);

  Result<void> write(const WallInstant& instant, SharedWall& wall);  // instants follow one another
  Result<void> finish(SharedWall& wall);

  std::uint64_t frames() const { return frames_; }
  std::uint64_t bytes() const { return muxer_->bytes_written(); }
  std::int64_t first() const { return first_; }  // instant

 private:
  // What a tile shows now: which picture, or since when none.
  struct Shown {
    media::Picture picture;
    std::optional<Timestamp> lost_since;
    bool has_signal = false;
    bool anything = false;
  };

  explicit MosaicOutput(MosaicOutputOptions options, media::Canvas canvas)
      : options_(std::move(options)), canvas_(std::move(canvas)), shown_(options_.grid.places.size()) {}
  Result<void> lay(std::size_t tile, const TileView& view);
  Result<void> write_sound(SharedWall& wall, Timestamp until);
  Result<void> mux(std::vector<media::Packet>& packets);

  MosaicOutputOptions options_;
  media::Canvas canvas_;
  std::vector<Shown> shown_;
  std::unique_ptr<media::TilePainter> painter_;
  std::unique_ptr<media::PictureEncoder> pictures_;
  std::unique_ptr<media::SoundEncoder> sounds_;  // nullptr: silent
  std::unique_ptr<media::Muxer> muxer_;
  std::uint64_t frames_ = 0;
  std::int64_t first_ = 0;
  Timestamp sound_until_;
};

}  // namespace gopline::aggregator
