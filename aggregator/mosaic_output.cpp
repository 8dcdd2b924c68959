#include "aggregator/mosaic_output.h"

#include "common/base/text.h"

namespace gopline::aggregator {
namespace {

// Sound is written so far behind the pictures: decoders hold pictures back longer than sound.
constexpr Duration kSoundBehind = std::chrono::seconds(1);

std::vector<std::string> notice(std::optional<Timestamp> lost_since) {
  if (!lost_since) return {"no signal"};
  return {"no signal", "since " + format_rfc3339(*lost_since).substr(11, 8) + "Z"};
}

}  // namespace

Result<std::unique_ptr<MosaicOutput>> MosaicOutput::open(MosaicOutputOptions options) {
  const auto& size = options.grid.canvas;
  GOPLINE_ASSIGN(auto canvas, media::Canvas::make(size.width, size.height));
  std::unique_ptr<MosaicOutput> output(new MosaicOutput(std::move(options), std::move(canvas)));
  const auto& wanted = output->options_;
  GOPLINE_ASSIGN(output->painter_, media::TilePainter::open(wanted.painting));
  media::PictureEncoderOptions encoding;
  encoding.width = size.width;
  encoding.height = size.height;
  encoding.frame_rate = wanted.axis.frame_rate();
  encoding.container = wanted.format;
  encoding.low_delay = wanted.live;
  encoding.hd_colours = wanted.painting.hd_colours;
  GOPLINE_ASSIGN(output->pictures_, media::PictureEncoder::open(encoding));
  std::vector<media::Track> tracks{output->pictures_->track()};
  if (wanted.sound) {
    GOPLINE_ASSIGN(output->sounds_,
                   media::SoundEncoder::open(SoundLine::kRate, SoundLine::kChannels, wanted.format, 1));
    tracks.push_back(output->sounds_->track());
  }
  media::MuxerOptions muxing;
  muxing.target = wanted.output;
  muxing.format = wanted.format;
  media::SourceInfo source;
  source.start_time_us = 0;
  GOPLINE_ASSIGN(output->muxer_, media::Muxer::open(muxing, source, tracks));
  return output;
}

Result<void> MosaicOutput::write(const WallInstant& instant, SharedWall& wall) {
  if (frames_ == 0) {
    first_ = instant.instant;
    sound_until_ = options_.axis.time_of(first_);
  }
  for (std::size_t tile = 0; tile < instant.tiles.size(); ++tile) GOPLINE_TRY(lay(tile, instant.tiles[tile]));
  std::vector<media::Packet> packets;
  GOPLINE_TRY(pictures_->encode(canvas_.picture(), static_cast<std::int64_t>(frames_), packets));
  ++frames_;
  GOPLINE_TRY(mux(packets));
  GOPLINE_TRY(write_sound(wall, options_.axis.time_of(instant.instant + 1) - kSoundBehind));
  return options_.live ? muxer_->flush() : Result<void>();
}

Result<void> MosaicOutput::lay(std::size_t index, const TileView& view) {
  auto& shown = shown_[index];
  const auto& place = options_.grid.places[index];
  bool same = shown.anything && view.has_signal == shown.has_signal && view.picture.is_same(shown.picture) &&
              view.lost_since == shown.lost_since;
  if (same) return {};
  shown = {view.picture, view.lost_since, view.has_signal, true};
  if (view.has_signal) return canvas_.place(view.picture, place.x, place.y);
  GOPLINE_ASSIGN(auto tile, painter_->paint_notice(notice(view.lost_since), {options_.streams[index]}));
  return canvas_.place(tile, place.x, place.y);
}

Result<void> MosaicOutput::write_sound(SharedWall& wall, Timestamp until) {
  if (!sounds_ || until <= sound_until_) return {};
  std::vector<media::Packet> packets;
  GOPLINE_TRY(sounds_->encode(wall.take_sound(sound_until_, until), packets));
  sound_until_ = until;
  return mux(packets);
}

Result<void> MosaicOutput::mux(std::vector<media::Packet>& packets) {
  for (const auto& packet : packets) GOPLINE_TRY(muxer_->write(packet));
  return {};
}

Result<void> MosaicOutput::finish(SharedWall& wall) {
  GOPLINE_TRY(write_sound(wall, options_.axis.time_of(first_ + static_cast<std::int64_t>(frames_))));
  std::vector<media::Packet> packets;
  GOPLINE_TRY(pictures_->finish(packets));
  GOPLINE_TRY(mux(packets));
  packets.clear();
  if (sounds_) GOPLINE_TRY(sounds_->finish(packets));
  GOPLINE_TRY(mux(packets));
  return muxer_->finish();
}

}  // namespace gopline::aggregator
