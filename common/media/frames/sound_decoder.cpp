#include "common/media/frames/sound_decoder.h"

#include "common/media/av_convert.h"
#include "common/media/frames/av_frames.h"
#include "common/media/frames/decoding.h"

namespace gopline::media {
namespace {

class AvSoundDecoder final : public SoundDecoder {
 public:
  AvSoundDecoder(AvCodecContextPtr context, Rational time_base, int rate, int channels)
      : context_(std::move(context)), time_base_(time_base), rate_(rate), channels_(channels) {}
  AvSoundDecoder(const AvSoundDecoder&) = delete;
  AvSoundDecoder& operator=(const AvSoundDecoder&) = delete;
  ~AvSoundDecoder() override { av_channel_layout_uninit(&source_layout_); }

  Result<void> decode(const Packet& packet, Timestamp zero, std::vector<DecodedSound>& out) override {
    GOPLINE_ASSIGN(auto av, to_av_packet(packet, true));
    auto ticks = packet.pts ? packet.pts : packet.dts;
    av->pts = av->dts = AV_NOPTS_VALUE;
    if (ticks) av->pts = zero.time_since_epoch().count() + rescale(*ticks, time_base_, kMicroseconds);
    int code = avcodec_send_packet(context_.get(), av.get());
    GOPLINE_TRY(receive(out));
    if (code < 0) return fail_av(code, "sound cannot be decoded");
    return {};
  }

  void drain(std::vector<DecodedSound>& out) override {
    if (avcodec_send_packet(context_.get(), nullptr) >= 0) (void)receive(out);
    avcodec_flush_buffers(context_.get());
    resampler_.reset();
  }

 private:
  Result<void> receive(std::vector<DecodedSound>& out) {
    for (;;) {
      AvFramePtr frame(av_frame_alloc());
      if (!frame || avcodec_receive_frame(context_.get(), frame.get()) < 0) return {};
      if (frame->pts == AV_NOPTS_VALUE || frame->nb_samples == 0) continue;
      GOPLINE_TRY(prepare(*frame));
      // What the resampler still has of the frames before goes out first.
      auto time = frame->pts - swr_get_delay(resampler_.get(), 1'000'000);
      DecodedSound sound;
      auto room = swr_get_out_samples(resampler_.get(), frame->nb_samples);
      if (room < 0) return fail_av(room, "sound cannot be resampled");
      sound.samples.resize(static_cast<std::size_t>(room) * static_cast<std::size_t>(channels_));
      auto* target = reinterpret_cast<std::uint8_t*>(sound.samples.data());
      auto** source = const_cast<const std::uint8_t**>(frame->extended_data);
      int got = swr_convert(resampler_.get(), &target, room, source, frame->nb_samples);
      if (got < 0) return fail_av(got, "sound cannot be resampled");
      sound.samples.resize(static_cast<std::size_t>(got) * static_cast<std::size_t>(channels_));
      sound.time = Timestamp(Duration(time));
      if (got > 0) out.push_back(std::move(sound));
    }
  }

  // A resampler for what the frame is, which may be other than the frame before was.
  Result<void> prepare(const AVFrame& frame) {
    bool same = resampler_ && frame.format == source_format_ && frame.sample_rate == source_rate_ &&
                av_channel_layout_compare(&frame.ch_layout, &source_layout_) == 0;
    if (same) return {};
    source_format_ = frame.format;
    source_rate_ = frame.sample_rate;
    if (int code = av_channel_layout_copy(&source_layout_, &frame.ch_layout); code < 0)
      return fail_av(code, "the channels of the sound");
    AVChannelLayout from{}, to{};
    av_channel_layout_default(&to, channels_);
    if (frame.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
      av_channel_layout_default(&from, frame.ch_layout.nb_channels);
    } else if (int code = av_channel_layout_copy(&from, &frame.ch_layout); code < 0) {
      return fail_av(code, "the channels of the sound");
    }
    SwrContext* made = nullptr;
    int code = swr_alloc_set_opts2(&made, &to, AV_SAMPLE_FMT_FLT, rate_, &from,
                                   static_cast<AVSampleFormat>(frame.format), frame.sample_rate, 0, nullptr);
    resampler_.reset(made);
    // What is mixed down stays within what can be heard undistorted.
    if (code >= 0) code = av_opt_set_double(resampler_.get(), "rematrix_maxval", 1.0, 0);
    if (code >= 0) code = swr_init(resampler_.get());
    av_channel_layout_uninit(&from);
    if (code >= 0) return {};
    resampler_.reset();
    return fail_av(code, "sound cannot be resampled");
  }

  AvCodecContextPtr context_;
  Rational time_base_;
  int rate_, channels_;
  SwrPtr resampler_;
  int source_format_ = AV_SAMPLE_FMT_NONE;  // what it was made for
  int source_rate_ = 0;
  AVChannelLayout source_layout_{};
};

}  // namespace

Result<std::unique_ptr<SoundDecoder>> SoundDecoder::open(const Track& track, int rate, int channels) {
  GOPLINE_ASSIGN(auto context, open_decoder(track));
  return std::make_unique<AvSoundDecoder>(std::move(context), track.time_base, rate, channels);
}

}  // namespace gopline::media
