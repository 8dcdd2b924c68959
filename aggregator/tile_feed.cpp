#include "aggregator/tile_feed.h"

#include <algorithm>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/media/segment_reader.h"

namespace gopline::aggregator {
namespace {

// "2026-11-22 18:00:05.120Z"
std::string show_capture_time(Timestamp time) {
  auto text = format_rfc3339(time).substr(0, 23);
  text[10] = ' ';
  return text + "Z";
}

}  // namespace

TileFeed::TileFeed(Options options, SharedWall& wall, MosaicStream& report,
                   std::unique_ptr<media::TilePainter> painter)
    : options_(std::move(options)),
      wall_(wall),
      report_(report),
      painter_(std::move(painter)),
      line_(options_.axis) {}

Result<std::unique_ptr<TileFeed>> TileFeed::make(Options options, SharedWall& wall, MosaicStream& report) {
  GOPLINE_ASSIGN(auto painter, media::TilePainter::open(options.painting));
  return std::unique_ptr<TileFeed>(new TileFeed(std::move(options), wall, report, std::move(painter)));
}

Result<void> TileFeed::begin_epoch(const EpochBegin& epoch) {
  GOPLINE_TRY(cut());
  tracks_ = epoch.started.marker.tracks;
  main_ = media::main_track_of(tracks_);
  resuming_ = !epoch.from_its_start;
  open_decoders();
  return {};
}

void TileFeed::open_decoders() {
  pictures_.reset();
  sounds_.reset();
  sound_ = -1;
  if (tracks_.empty()) return;
  const auto& main = tracks_[static_cast<std::size_t>(main_)];
  if (main.codec.type == media::MediaType::kVideo) {
    orientation_ = media::orientation_of(main.side_data);
    auto opened = media::PictureDecoder::open(main);
    if (opened) {
      pictures_ = std::move(*opened);
    } else {
      undecodable(opened.error());
    }
  } else {
    log_warning(report_.stream, "has no pictures");
  }
  if (!options_.heard) return;
  auto audio = std::ranges::find(tracks_, media::MediaType::kAudio,
                                 [](const media::Track& track) { return track.codec.type; });
  if (audio == tracks_.end()) return;
  sound_ = static_cast<int>(audio - tracks_.begin());
  auto opened = media::SoundDecoder::open(*audio, SoundLine::kRate, SoundLine::kChannels);
  if (opened) {
    sounds_ = std::move(*opened);
  } else {
    undecodable(opened.error());
  }
}

void TileFeed::note_absence() {
  // Stopped is told by the next call.
  (void)cut();
  resuming_ = true;
}

Result<void> TileFeed::write(const SegmentData& segment) {
  if (options_.stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
  if (resuming_ && segment.headers.sap == 0) {
    ++report_.skipped;
    return {};
  }
  auto packets = media::unpack_segment(segment.bytes.flatten(), segment.headers.content_type, tracks_);
  if (!packets) {
    undecodable(packets.error());
    note_absence();
    return {};
  }
  return decode(*packets, segment);
}

Result<void> TileFeed::decode(const std::vector<media::Packet>& packets, const SegmentData& segment) {
  auto first = std::ranges::find(packets, main_, &media::Packet::track);
  if (first == packets.end()) return {};
  const auto& base = tracks_[static_cast<std::size_t>(main_)].time_base;
  auto ticks = (first->pts ? first->pts : first->dts).value_or(0);
  auto zero = media::zero_of(segment.headers.time, ticks, base);
  if (std::exchange(resuming_, false)) shown_from_ = segment.headers.time;
  std::vector<media::DecodedPicture> pictures;
  std::vector<media::DecodedSound> sounds;
  for (const auto& packet : packets) {
    Result<void> decoded;
    if (packet.track == main_ && pictures_) decoded = pictures_->decode(packet, zero, pictures);
    if (packet.track == sound_ && sounds_) decoded = sounds_->decode(packet, zero, sounds);
    if (!decoded) undecodable(decoded.error());
    hear(sounds);
    GOPLINE_TRY(show(pictures));
  }
  return {};
}

Result<void> TileFeed::cut() {
  std::vector<media::DecodedPicture> pictures;
  std::vector<media::DecodedSound> sounds;
  if (pictures_) pictures_->drain(pictures);
  if (sounds_) sounds_->drain(sounds);
  hear(sounds);
  GOPLINE_TRY(show(pictures));
  shown_from_.reset();
  return show(line_.cut());
}

Result<void> TileFeed::finish() {
  auto done = cut();
  report_.frames = line_.stats();
  return done;
}

Result<void> TileFeed::show(std::vector<media::DecodedPicture>& pictures) {
  for (auto& one : pictures) {
    if (shown_from_ && one.time < *shown_from_) continue;
    GOPLINE_TRY(show(line_.push(one.time, one.duration, std::move(one.picture))));
  }
  pictures.clear();
  return {};
}

Result<void> TileFeed::show(std::optional<Showing> showing) {
  if (!showing) return {};
  auto shape = tracks_[static_cast<std::size_t>(main_)].codec.sample_aspect_ratio;
  auto painted = painter_->paint(showing->picture, orientation_, shape,
                                 {report_.stream, show_capture_time(showing->time)});
  if (!painted) {
    undecodable(painted.error());
    return {};
  }
  showing->picture = std::move(*painted);
  if (wall_.push(options_.tile, std::move(*showing), options_.stop)) return {};
  return fail(ErrorCode::kCancelled, "stopped");
}

void TileFeed::hear(std::vector<media::DecodedSound>& sounds) {
  for (const auto& one : sounds) wall_.hear(one.time, one.samples);
  sounds.clear();
}

void TileFeed::undecodable(const Error& error) {
  ++report_.undecodable;
  log_warning(report_.stream, "{}; it goes on with the next", error.message);
}

}  // namespace gopline::aggregator
