#include "server/renditions/video_rendition.h"

#include <algorithm>
#include <cmath>

#include "common/media/annexb.h"
#include "common/media/fragment_writer.h"
#include "common/media/frames/picture_converter.h"
#include "common/media/frames/picture_decoder.h"
#include "common/media/init_writer.h"
#include "common/media/side_data_ids.h"

namespace gopline::server {
namespace {

constexpr int kOpenGop = 3;  // the stream access point type of its key frame
constexpr double kUsualRate = 25, kMostRate = 120;
constexpr double kBitsPerPixel = 0.2;
constexpr std::int64_t kLeastBitRate = 1'000'000, kMostBitRate = 20'000'000;

double pictures_a_second(const media::Track& track) {
  for (const auto& rate : {track.avg_frame_rate, track.r_frame_rate}) {
    if (rate.num > 0 && rate.den > 0) return std::clamp(rate.to_double(), 1.0, kMostRate);
  }
  return kUsualRate;
}

media::PictureEncoderOptions encoding_of(const media::Track& track) {
  const auto& codec = track.codec;
  media::PictureEncoderOptions options;
  options.width = std::max(codec.width & ~1, 2);
  options.height = std::max(codec.height & ~1, 2);
  auto rate = pictures_a_second(track);
  options.frame_rate = {std::llround(rate * 1000), 1000};
  options.pictures_in_gop = static_cast<int>(std::ceil(2 * rate));
  options.container = "fmp4";
  options.low_delay = true;
  bool is_large = codec.height >= 720;
  options.hd_colours = codec.color_space == "bt709" || (codec.color_space != "smpte170m" && is_large);
  if (codec.sample_aspect_ratio.num > 0) options.sample_aspect_ratio = codec.sample_aspect_ratio;
  auto wished = kBitsPerPixel * rate * options.width * options.height;
  options.most_bit_rate = std::clamp(static_cast<std::int64_t>(wished), kLeastBitRate, kMostBitRate);
  return options;
}

// The packets to decode: from `own` on they are the segment's, those before lead to it.
struct PacketsToDecode {
  std::vector<StoredPacket> packets;
  std::size_t own = 0;
};

Result<PacketsToDecode> packets_to_decode(const std::vector<StoredMedia>& group,
                                          const std::vector<media::Track>& tracks, std::size_t video) {
  PacketsToDecode all;
  for (const auto& media : group) {
    all.own = all.packets.size();
    GOPLINE_ASSIGN(auto packets, stored_packets(media, tracks, video));
    std::move(packets.begin(), packets.end(), std::back_inserter(all.packets));
  }
  // From the last key frame before the segment on.
  auto first = all.own;
  while (first > 0 && (first == all.own || !all.packets[first].packet.is_key())) --first;
  all.packets.erase(all.packets.begin(), all.packets.begin() + static_cast<std::ptrdiff_t>(first));
  all.own -= first;
  return all;
}

// When the pictures of the segment are shown, in the order in which a decoder gives them. A source that says
// it of its packets says it best; else they are shown when packets are decoded, one after the other.
class ShownTimes {
 public:
  explicit ShownTimes(const PacketsToDecode& all) : all_(all) {
    bool all_said = true;
    for (auto i = all.own; i < all.packets.size(); ++i) {
      all_said = all_said && all.packets[i].packet.pts;
      in_order_.push_back(all.packets[i].time);
    }
    if (all_said) in_order_.clear();
    std::sort(in_order_.begin(), in_order_.end());
  }
  // Of the picture of that packet, which is the next one.
  std::int64_t next(std::size_t packet) {
    return in_order_.empty() ? all_.packets[packet].shown : in_order_[std::min(at_++, in_order_.size() - 1)];
  }

 private:
  const PacketsToDecode& all_;
  std::vector<std::int64_t> in_order_;
  std::size_t at_ = 0;
};

// From packets to packets. A picture is told by the number of its packet, which goes through the decoder in
// the place of a time, whatever the order in which pictures come.
class SegmentEncoding {
 public:
  SegmentEncoding(const PacketsToDecode& all, const media::PictureEncoderOptions& options)
      : all_(all), times_(all), converter_({media::PixelFormat::kYuv420p, options.width, options.height}) {}

  Result<void> open(media::Track track, const media::PictureEncoderOptions& options) {
    track.time_base = kMicroseconds;
    GOPLINE_ASSIGN(decoder_, media::PictureDecoder::open(track));
    GOPLINE_ASSIGN(encoder_, media::PictureEncoder::open(options));
    return {};
  }

  Result<void> run(const VideoRendition::IsWanted& is_wanted) {
    std::vector<media::DecodedPicture> pictures;
    for (std::size_t i = 0; i < all_.packets.size(); ++i) {
      if (!is_wanted()) return fail(ErrorCode::kCancelled, "nobody waits for it any more");
      auto packet = all_.packets[i].packet;
      packet.pts = static_cast<std::int64_t>(i);
      packet.dts.reset();
      packet.flags &= media::packet_flags::kKey;  // what an edit list hides is shown as the original's is
      (void)decoder_->decode(packet, Timestamp(), pictures);  // one that is damaged is not shown
      GOPLINE_TRY(encode(pictures));
    }
    decoder_->drain(pictures);
    GOPLINE_TRY(encode(pictures));
    return encoder_->finish(packets_);
  }

  // One after the other, from the first key frame on: times in ticks of the track, whose last picture lasts
  // until `end`.
  media::Run take(Rational time_base, std::int64_t end) {
    media::Run run;
    auto count = std::min(packets_.size(), shown_.size());
    for (std::size_t i = 0; i < count; ++i) {
      auto& packet = packets_[i];
      auto shown = shown_[i];
      auto earliest = i == 0 ? 0 : run.packets.back().time;
      media::TimedPacket timed;
      timed.time = std::max(shown, earliest);
      timed.pts = timed.dts = shown / time_base.num;
      auto until = i + 1 < count ? shown_[i + 1] : end;
      timed.duration = std::max<std::int64_t>(until - timed.time, i + 1 < count ? 0 : time_base.num);
      packet.data = media::to_length_prefixed(packet.data);
      packet.flags &= media::packet_flags::kKey;
      packet.side_data.clear();
      packet.pts = timed.pts;
      packet.dts = timed.dts;
      packet.duration = timed.duration / time_base.num;
      timed.packet = std::move(packet);
      run.packets.push_back(std::move(timed));
    }
    return run;
  }

 private:
  Result<void> encode(std::vector<media::DecodedPicture>& pictures) {
    for (const auto& one : pictures) {
      auto packet = static_cast<std::size_t>(one.time.time_since_epoch().count());
      if (packet < all_.own || packet >= all_.packets.size()) continue;
      GOPLINE_ASSIGN(auto picture, converter_.convert(one.picture));
      auto index = static_cast<std::int64_t>(shown_.size());
      shown_.push_back(times_.next(packet));
      GOPLINE_TRY(encoder_->encode(picture, index, packets_));
    }
    pictures.clear();
    return {};
  }

  const PacketsToDecode& all_;
  ShownTimes times_;
  media::PictureConverter converter_;
  std::unique_ptr<media::PictureDecoder> decoder_;
  std::unique_ptr<media::PictureEncoder> encoder_;
  std::vector<std::int64_t> shown_;     // when each picture that was encoded is shown
  std::vector<media::Packet> packets_;  // one for each: there are no B-frames
};

// When the segment's last picture ends, and the next one's first is shown: what is shown later than decoded
// is so in the next one as well.
std::int64_t shown_end(const PacketsToDecode& all) {
  auto earliest = all.packets[all.own].shown;
  for (auto i = all.own; i < all.packets.size(); ++i) earliest = std::min(earliest, all.packets[i].shown);
  return earliest + all.packets.back().end - all.packets[all.own].time;
}

}  // namespace

Result<VideoRendition> VideoRendition::of(const std::vector<media::Track>& tracks) {
  VideoRendition made;
  made.tracks_ = tracks;
  made.video_ = static_cast<std::size_t>(media::main_track_of(tracks));
  const auto* source = tracks.empty() ? nullptr : &tracks[made.video_];
  if (!source || source->codec.type != media::MediaType::kVideo)
    return fail(ErrorCode::kUnsupported, "there are no pictures");
  if (source->codec.width <= 0 || source->codec.height <= 0)
    return fail(ErrorCode::kUnsupported, "the source does not say how large its pictures are");
  made.options_ = encoding_of(*source);
  GOPLINE_TRY(media::PictureDecoder::open(*source));
  GOPLINE_ASSIGN(auto encoder, media::PictureEncoder::open(made.options_));
  made.encoded_ = encoder->track();
  made.encoded_.id = source->id;
  made.encoded_.time_base = source->time_base;
  made.encoded_.source_form = media::SourceForm::kAnnexB;
  made.encoded_.metadata = source->metadata;
  for (const auto& side : source->side_data) {
    if (side.id == media::side_data_ids::kDisplayMatrix) made.encoded_.side_data.push_back(side);
  }
  return made;
}

std::string VideoRendition::codec() const {
  return media::rfc6381_codec(encoded_, "avc1");
}

// Where the type does not tell, pictures that are shown before the first packet's may lead to it.
bool VideoRendition::needs_earlier(int sap) const {
  const auto& codec = tracks_[video_].codec;
  bool is_told = codec.codec == "hevc" || codec.codec == "h264";
  return sap == 0 || sap == kOpenGop || (!is_told && codec.video_delay > 0);
}

Result<Buffer> VideoRendition::init() const {
  return media::write_init({encoded_}, {media::InitHints{}});
}

Result<BufferChain> VideoRendition::fragment(const std::vector<StoredMedia>& group,
                                             const IsWanted& is_wanted) const {
  GOPLINE_ASSIGN(auto all, packets_to_decode(group, tracks_, video_));
  if (all.own == all.packets.size()) return BufferChain();
  SegmentEncoding encoding(all, options_);
  GOPLINE_TRY(encoding.open(tracks_[video_], options_));
  GOPLINE_TRY(encoding.run(is_wanted));
  auto run = encoding.take(encoded_.time_base, shown_end(all));
  if (run.packets.empty()) return fail(ErrorCode::kCorrupt, "not one of its pictures can be decoded");
  return media::write_fragment(run, encoded_, 1);
}

}  // namespace gopline::server
