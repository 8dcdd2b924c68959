#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/mosaic.h"
#include "aggregator/mosaic/frame_line.h"
#include "aggregator/shared_wall.h"
#include "aggregator/sink.h"
#include "common/media/frames/orientation.h"
#include "common/media/frames/picture_decoder.h"
#include "common/media/frames/sound_decoder.h"
#include "common/media/frames/tile_painter.h"

namespace gopline::aggregator {

// A stream on its way to its tile: segments are unpacked and decoded, and those frames that will be shown are
// painted and go to the wall. What cannot be decoded is counted, and it goes on with the next. Not
// thread-safe.
class TileFeed final : public Sink {
 public:
  struct Options {
    std::size_t tile = 0;
    Axis axis;
    media::TileOptions painting;
    bool heard = false;
    StopToken stop;
  };

  // `report` and `wall` outlive it.
  static Result<std::unique_ptr<TileFeed>> make(Options options, SharedWall& wall, MosaicStream& report);

  // kCancelled: stopped. Nothing that is wrong with a segment is an error here.
  Result<void> begin_epoch(const EpochBegin& epoch) override;
  Result<void> write(const SegmentData& segment) override;
  void note_absence() override;
  Result<void> finish() override;
  SinkStats stats() const override { return {}; }

 private:
  TileFeed(Options options, SharedWall& wall, MosaicStream& report,
           std::unique_ptr<media::TilePainter> painter);
  void open_decoders();
  Result<void> decode(const std::vector<media::Packet>& packets, const SegmentData& segment);
  Result<void> cut();
  Result<void> show(std::vector<media::DecodedPicture>& pictures);
  Result<void> show(std::optional<Showing> showing);
  void hear(std::vector<media::DecodedSound>& sounds);
  void undecodable(const Error& error);

  Options options_;
  SharedWall& wall_;
  MosaicStream& report_;
  std::unique_ptr<media::TilePainter> painter_;
  FrameLine line_;
  std::vector<media::Track> tracks_;  // of the epoch in hand
  int main_ = 0;
  int sound_ = -1;  // the track that is heard
  std::unique_ptr<media::PictureDecoder> pictures_;
  std::unique_ptr<media::SoundDecoder> sounds_;
  media::Orientation orientation_;
  bool resuming_ = false;                // wait for an access point
  std::optional<Timestamp> shown_from_;  // pictures before it refer to what is not there
};

}  // namespace gopline::aggregator
