#include "aggregator/outputs/live_muxer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/media/remux_settings.h"

namespace gopline::aggregator {
namespace {

class LiveMuxer final : public media::Muxer {
 public:
  LiveMuxer(LiveOutput& output, const media::SourceInfo& source, const std::vector<media::Track>& tracks)
      : output_(output) {
    begin_run(source, tracks, 0);
    discontinuity_ = false;
  }

  Result<void> write(const media::Packet& packet) override {
    auto times = times_->next(packet, 0);
    if (!times) return {};
    LivePacket timed{packet, std::exchange(discontinuity_, false)};
    timed.packet.pts = times->pts;
    timed.packet.dts = times->dts;
    timed.packet.duration = times->duration;
    if (auto begin = times->dts ? times->dts : times->pts)
      end_us_ = std::max(end_us_, *begin + times->duration);
    return output_.write(std::move(timed));
  }

  void begin_run(const media::SourceInfo& source, const std::vector<media::Track>& tracks,
                 std::int64_t place_us) override {
    std::vector<media::RemuxTrack> timed;
    for (const auto& track : tracks) timed.push_back(media::remux_track(track, kMicroseconds));
    // What was promised of growing dts is promised of the same tracks.
    if (tracks.size() != count_) times_.emplace(media::remux_settings(source), timed);
    count_ = tracks.size();
    times_->begin_run(media::remux_settings(source), timed, place_us);
    discontinuity_ = true;
  }

  void expect_hole() override {
    times_->expect_hole();
    discontinuity_ = true;
  }

  std::int64_t end_us() const override { return end_us_; }
  Result<void> flush() override { return {}; }
  Result<void> finish() override { return output_.finish(); }
  std::uint64_t bytes_written() const override { return output_.stats().sent_bytes; }

 private:
  LiveOutput& output_;
  std::optional<media::RemuxTimestamps> times_;
  std::size_t count_ = 0;
  bool discontinuity_ = false;
  std::int64_t end_us_ = 0;
};

}  // namespace

std::unique_ptr<media::Muxer> make_live_muxer(LiveOutput& output, const media::SourceInfo& source,
                                              const std::vector<media::Track>& tracks) {
  return std::make_unique<LiveMuxer>(output, source, tracks);
}

}  // namespace gopline::aggregator
