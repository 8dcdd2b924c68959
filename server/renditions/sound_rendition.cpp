#include "server/renditions/sound_rendition.h"

#include <algorithm>
#include <cmath>

#include "common/media/fragment_writer.h"
#include "common/media/frames/sound_decoder.h"
#include "common/media/frames/sound_encoder.h"
#include "common/media/init_writer.h"

namespace gopline::server {
namespace {

constexpr int kRate = 48'000;
constexpr std::int64_t kFrame = 1024;            // samples of an AAC frame
constexpr std::int64_t kAhead = 4 * kFrame;      // what has to be known behind a frame's begin
constexpr std::int64_t kPreRoll = kRate / 2;     // what is encoded before the first frame that counts
constexpr std::int64_t kTolerance = kRate / 50;  // clocks and rounding: no gap is heard for so little
constexpr std::int64_t kMostSilence = 10 * kRate;

std::int64_t floor_to_frame(std::int64_t sample) {
  auto rest = sample % kFrame;
  return sample - (rest < 0 ? rest + kFrame : rest);
}

// The first frame that is left to what begins at that sample.
std::int64_t grid(std::int64_t sample) {
  return floor_to_frame(sample - kAhead) + kFrame;
}

// Sound of a segment in the order of its times.
struct Sound {
  struct Piece {
    media::Packet packet;             // with times of the timeline
    std::int64_t begin = 0, end = 0;  // samples at kRate
  };
  std::vector<Piece> pieces;
  std::int64_t begin() const { return pieces.front().begin; }
  std::int64_t end() const { return pieces.back().end; }
};

Result<Sound> sound_of(const StoredMedia& media, const std::vector<media::Track>& tracks, std::size_t audio) {
  GOPLINE_ASSIGN(auto packets, stored_packets(media, tracks, audio));
  Rational tick{1, tracks[audio].time_base.den}, sample{1, kRate};
  Sound sound;
  for (auto& stored : packets) {
    stored.packet.pts = stored.packet.dts = stored.time;
    sound.pieces.push_back(
        {std::move(stored.packet), rescale(stored.time, tick, sample), rescale(stored.end, tick, sample)});
  }
  return sound;
}

// What has to be encoded of what came before sound that begins there: up to it without a break, and no more
// than the encoder needs.
Result<Sound> sound_before(std::int64_t begin, const std::vector<StoredMedia>& before,
                           const std::vector<media::Track>& tracks, std::size_t audio) {
  Sound all;
  auto from = begin - kAhead - kPreRoll;
  for (auto media = before.rbegin(); media != before.rend() && (all.pieces.empty() || all.begin() > from);
       ++media) {
    GOPLINE_ASSIGN(auto earlier, sound_of(*media, tracks, audio));
    if (earlier.pieces.empty()) continue;
    auto next = all.pieces.empty() ? begin : all.begin();
    if (std::abs(next - earlier.end()) >= kMostSilence) break;
    std::erase_if(earlier.pieces, [&](const Sound::Piece& piece) { return piece.end <= from; });
    std::move(all.pieces.begin(), all.pieces.end(), std::back_inserter(earlier.pieces));
    all = std::move(earlier);
  }
  return all;
}

// Samples in a row, whatever the packets' times: what is missing becomes silence, what comes twice is left
// out.
class SampleLine {
 public:
  SampleLine(std::int64_t begin, int channels) : end_(floor_to_frame(begin)), channels_(channels) {
    add_silence(begin - end_);
  }

  void add(std::int64_t at, const std::vector<float>& samples) {
    std::int64_t skipped = 0;
    if (at > end_ + kTolerance) add_silence(std::min(at - end_, kMostSilence));
    if (at < end_ - kTolerance) skipped = end_ - at;
    auto count = static_cast<std::int64_t>(samples.size()) / channels_;
    if (skipped >= count) return;
    samples_.insert(samples_.end(), samples.begin() + skipped * channels_, samples.end());
    end_ += count - skipped;
  }

  const std::vector<float>& samples() const { return samples_; }

 private:
  void add_silence(std::int64_t count) {
    samples_.resize(samples_.size() + static_cast<std::size_t>(count * channels_));
    end_ += count;
  }

  std::vector<float> samples_;
  std::int64_t end_;
  const int channels_;
};

}  // namespace

std::optional<std::size_t> sound_to_transcode(const std::vector<media::Track>& tracks,
                                              const std::vector<int>& playable) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    if (tracks[i].codec.type != media::MediaType::kAudio) continue;
    if (std::find(playable.begin(), playable.end(), tracks[i].id) != playable.end()) return std::nullopt;
    if (!first) first = i;
  }
  return first;
}

Result<SoundRendition> SoundRendition::of(const std::vector<media::Track>& tracks, std::size_t audio) {
  SoundRendition made;
  made.tracks_ = tracks;
  made.audio_ = audio;
  const auto& layout = tracks[audio].codec.channel_layout;
  made.channels_ = layout == "mono" || layout.starts_with("1 ") ? 1 : 2;
  GOPLINE_TRY(media::SoundDecoder::open(tracks[audio], kRate, made.channels_));
  GOPLINE_ASSIGN(auto encoder, media::SoundEncoder::open(kRate, made.channels_, "fmp4", 0));
  made.encoded_ = encoder->track();
  made.encoded_.id = tracks[audio].id;
  made.encoded_.metadata = tracks[audio].metadata;
  return made;
}

Result<Buffer> SoundRendition::init() const {
  return media::write_init({encoded_}, {media::InitHints{}});
}

Result<BufferChain> SoundRendition::fragment(const StoredMedia& media,
                                             const std::vector<StoredMedia>& before) const {
  GOPLINE_ASSIGN(auto sound, sound_of(media, tracks_, audio_));
  if (sound.pieces.empty()) return BufferChain();
  auto first = floor_to_frame(sound.begin() + kFrame - 1), last = grid(sound.end());
  GOPLINE_ASSIGN(auto all, sound_before(sound.begin(), before, tracks_, audio_));
  if (!all.pieces.empty()) first = grid(all.end());
  std::move(sound.pieces.begin(), sound.pieces.end(), std::back_inserter(all.pieces));
  auto source = tracks_[audio_];
  source.time_base = {1, source.time_base.den};
  GOPLINE_ASSIGN(auto decoder, media::SoundDecoder::open(source, kRate, channels_));
  SampleLine line(all.begin(), channels_);
  std::vector<media::DecodedSound> decoded;
  for (const auto& piece : all.pieces) {
    decoded.clear();
    (void)decoder->decode(piece.packet, Timestamp(), decoded);  // a damaged packet is silence
    for (const auto& some : decoded)
      line.add(rescale(some.time.time_since_epoch().count(), kMicroseconds, {1, kRate}), some.samples);
  }
  return encode(line.samples(), floor_to_frame(all.begin()), first, last);
}

// Of samples in a row from `begin` on, the frames that begin in [first, last).
Result<BufferChain> SoundRendition::encode(const std::vector<float>& samples, std::int64_t begin,
                                           std::int64_t first, std::int64_t last) const {
  GOPLINE_ASSIGN(auto encoder, media::SoundEncoder::open(kRate, channels_, "fmp4", 0));
  std::vector<media::Packet> packets;
  GOPLINE_TRY(encoder->encode(samples, packets));
  media::Run run;
  for (auto& packet : packets) {
    auto at = begin + packet.pts.value_or(0);
    if (at < std::max<std::int64_t>(first, 0) || at >= last) continue;
    packet.pts = packet.dts = at;
    packet.duration = kFrame;
    packet.flags = media::packet_flags::kKey;
    packet.side_data.clear();
    run.packets.push_back({std::move(packet), at, at, at, kFrame});
  }
  if (run.packets.empty()) return BufferChain();
  return media::write_fragment(run, encoded_, 1);
}

}  // namespace gopline::server
