#include "common/media/frames/picture_decoder.h"

#include <algorithm>

#include "common/media/annexb.h"
#include "common/media/av_convert.h"
#include "common/media/frames/av_frames.h"
#include "common/media/frames/decoding.h"

namespace gopline::media {
namespace {

constexpr Duration kUnknownDuration = std::chrono::milliseconds(40);

Duration usual_duration(const Track& track) {
  const auto& rate = track.avg_frame_rate.num > 0 ? track.avg_frame_rate : track.r_frame_rate;
  if (rate.num <= 0 || rate.den <= 0) return kUnknownDuration;
  return std::max(Duration(1), Duration(rescale(1, {rate.den, rate.num}, kMicroseconds)));
}

class AvPictureDecoder final : public PictureDecoder {
 public:
  AvPictureDecoder(AvCodecContextPtr context, const Track& track)
      : context_(std::move(context)),
        time_base_(track.time_base),
        is_annexb_(track.source_form == SourceForm::kAnnexB),
        usual_duration_(usual_duration(track)) {}

  Result<void> decode(const Packet& packet, Timestamp zero, std::vector<DecodedPicture>& out) override {
    Packet form = packet;
    if (is_annexb_ && !packet.data.empty()) {
      GOPLINE_ASSIGN(form.data, to_annexb(packet.data));
    }
    GOPLINE_ASSIGN(auto av, to_av_packet(form, true));
    av->pts = in_us(packet.pts, zero);
    av->dts = in_us(packet.dts, zero);
    av->duration = rescale(packet.duration, time_base_, kMicroseconds);
    int code = avcodec_send_packet(context_.get(), av.get());
    receive(out);
    if (code < 0) return fail_av(code, "a picture cannot be decoded");
    return {};
  }

  void skip_disposable(bool skip) override {
    context_->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
  }

  void drain(std::vector<DecodedPicture>& out) override {
    if (avcodec_send_packet(context_.get(), nullptr) >= 0) receive(out);
    avcodec_flush_buffers(context_.get());
  }

 private:
  std::int64_t in_us(std::optional<std::int64_t> ticks, Timestamp zero) const {
    if (!ticks) return AV_NOPTS_VALUE;
    return zero.time_since_epoch().count() + rescale(*ticks, time_base_, kMicroseconds);
  }

  void receive(std::vector<DecodedPicture>& out) {
    for (;;) {
      AvFramePtr frame(av_frame_alloc());
      if (!frame || avcodec_receive_frame(context_.get(), frame.get()) < 0) return;
      if (frame->best_effort_timestamp == AV_NOPTS_VALUE) continue;
      DecodedPicture decoded;
      decoded.time = Timestamp(Duration(frame->best_effort_timestamp));
      auto duration = Duration(duration_of(*frame));
      decoded.duration = duration > Duration::zero() ? duration : usual_duration_;
      decoded.picture = Picture(std::shared_ptr<const AVFrame>(std::move(frame)));
      out.push_back(std::move(decoded));
    }
  }

  AvCodecContextPtr context_;
  Rational time_base_;
  bool is_annexb_;
  Duration usual_duration_;
};

}  // namespace

Result<std::unique_ptr<PictureDecoder>> PictureDecoder::open(const Track& track) {
  GOPLINE_ASSIGN(auto context, open_decoder(track));
  return std::make_unique<AvPictureDecoder>(std::move(context), track);
}

Timestamp zero_of(Timestamp time, std::int64_t ticks, Rational time_base) {
  return time - Duration(rescale(ticks, time_base, kMicroseconds));
}

}  // namespace gopline::media
