#include "common/media/frames/sound_encoder.h"

#include <algorithm>

#include "common/media/frames/encoding.h"

namespace gopline::media {
namespace {

class AacEncoder final : public SoundEncoder {
 public:
  AacEncoder(AvCodecContextPtr context, Track track, int index)
      : context_(std::move(context)), track_(std::move(track)), index_(index) {}

  const Track& track() const override { return track_; }

  Result<void> encode(const std::vector<float>& samples, std::vector<Packet>& out) override {
    waiting_.insert(waiting_.end(), samples.begin(), samples.end());
    auto whole = frame_size() * channels();
    std::size_t done = 0;
    for (; waiting_.size() - done >= whole; done += whole) GOPLINE_TRY(encode_one(done, frame_size(), out));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
    return {};
  }

  Result<void> finish(std::vector<Packet>& out) override {
    if (!waiting_.empty()) GOPLINE_TRY(encode_one(0, waiting_.size() / channels(), out));
    waiting_.clear();
    return encode_frame(*context_, nullptr, index_, out);
  }

 private:
  std::size_t frame_size() const { return static_cast<std::size_t>(context_->frame_size); }
  std::size_t channels() const { return static_cast<std::size_t>(context_->ch_layout.nb_channels); }

  Result<void> encode_one(std::size_t from, std::size_t count, std::vector<Packet>& out) {
    AvFramePtr frame(av_frame_alloc());
    if (!frame) return fail(ErrorCode::kInternal, "out of memory");
    frame->format = context_->sample_fmt;
    frame->nb_samples = static_cast<int>(count);
    frame->sample_rate = context_->sample_rate;
    frame->pts = next_;
    int code = av_channel_layout_copy(&frame->ch_layout, &context_->ch_layout);
    if (code >= 0) code = av_frame_get_buffer(frame.get(), 0);
    if (code < 0) return fail_av(code, "a frame of sound");
    for (std::size_t channel = 0; channel < channels(); ++channel) {
      auto* plane = reinterpret_cast<float*>(frame->data[channel]);
      for (std::size_t i = 0; i < count; ++i) plane[i] = waiting_[from + i * channels() + channel];
    }
    next_ += static_cast<std::int64_t>(count);
    return encode_frame(*context_, frame.get(), index_, out);
  }

  AvCodecContextPtr context_;
  Track track_;
  int index_;
  std::vector<float> waiting_;  // less than a frame
  std::int64_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<SoundEncoder>> SoundEncoder::open(int rate, int channels, const std::string& container,
                                                         int index) {
  GOPLINE_ASSIGN(auto context, make_encoder("aac"));
  context->sample_fmt = AV_SAMPLE_FMT_FLTP;
  context->sample_rate = rate;
  context->bit_rate = 64'000L * channels;
  context->time_base = {1, rate};
  av_channel_layout_default(&context->ch_layout, channels);
  if (wants_global_header(container)) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  if (int code = avcodec_open2(context.get(), nullptr, nullptr); code < 0)
    return fail_av(code, "the encoder of AAC");
  GOPLINE_ASSIGN(auto track, track_of(*context, index + 1));
  return std::make_unique<AacEncoder>(std::move(context), std::move(track), index);
}

}  // namespace gopline::media
