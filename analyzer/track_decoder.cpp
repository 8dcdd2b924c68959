#include "analyzer/track_decoder.h"

#include <utility>

#include "common/media/frames/picture_decoder.h"
#include "common/media/frames/sound_decoder.h"

namespace gopline::analyzer {
namespace {

class PictureTrack final : public TrackDecoder {
 public:
  explicit PictureTrack(std::unique_ptr<media::PictureDecoder> decoder) : decoder_(std::move(decoder)) {}

  Result<void> decode(const media::Packet& packet, Timestamp zero, std::vector<DecodedFrame>& out) override {
    auto decoded = decoder_->decode(packet, zero, pictures_);
    hand_on(out);
    return decoded;
  }
  void skip_disposable(bool skip) override { decoder_->skip_disposable(skip); }
  void drain(std::vector<DecodedFrame>& out) override {
    decoder_->drain(pictures_);
    hand_on(out);
  }

 private:
  void hand_on(std::vector<DecodedFrame>& out) {
    for (auto& one : pictures_) out.push_back({one.time, one.duration, std::move(one.picture), {}});
    pictures_.clear();
  }

  std::unique_ptr<media::PictureDecoder> decoder_;
  std::vector<media::DecodedPicture> pictures_;
};

class SoundTrack final : public TrackDecoder {
 public:
  SoundTrack(std::unique_ptr<media::SoundDecoder> decoder, int rate, int channels)
      : decoder_(std::move(decoder)), rate_(rate), channels_(channels) {}

  Result<void> decode(const media::Packet& packet, Timestamp zero, std::vector<DecodedFrame>& out) override {
    auto decoded = decoder_->decode(packet, zero, sounds_);
    hand_on(out);
    return decoded;
  }
  void skip_disposable(bool) override {}
  void drain(std::vector<DecodedFrame>& out) override {
    decoder_->drain(sounds_);
    hand_on(out);
  }

 private:
  void hand_on(std::vector<DecodedFrame>& out) {
    for (auto& one : sounds_) {
      auto samples = static_cast<std::int64_t>(one.samples.size()) / channels_;
      out.push_back({one.time, Duration(1'000'000 * samples / rate_), {}, std::move(one.samples)});
    }
    sounds_.clear();
  }

  std::unique_ptr<media::SoundDecoder> decoder_;
  const int rate_, channels_;
  std::vector<media::DecodedSound> sounds_;
};

}  // namespace

Result<std::unique_ptr<TrackDecoder>> TrackDecoder::open(const media::Track& track, const Wishes& wishes) {
  if (!wishes.sound_channels) {
    GOPLINE_ASSIGN(auto pictures, media::PictureDecoder::open(track));
    return std::make_unique<PictureTrack>(std::move(pictures));
  }
  auto rate = track.codec.sample_rate;
  if (rate <= 0) return fail(ErrorCode::kUnsupported, "the sound has no rate");
  GOPLINE_ASSIGN(auto sound, media::SoundDecoder::open(track, rate, *wishes.sound_channels));
  return std::make_unique<SoundTrack>(std::move(sound), rate, *wishes.sound_channels);
}

}  // namespace gopline::analyzer
