#include "aggregator/mosaic/frame_line.h"

namespace gopline::aggregator {

std::optional<Showing> FrameLine::push(Timestamp time, Duration duration, media::Picture picture) {
  ++stats_.frames;
  if (newest_ && time <= *newest_) {
    ++stats_.backwards;
    return std::nullopt;
  }
  newest_ = time;
  std::optional<Showing> shown;
  if (open_) {
    auto end = open_->time + open_->duration;
    shown = close(time - end > kPatience ? end : time);
    if (!shown) ++stats_.passed_over;
  }
  open_ = Open{time, duration, std::move(picture)};
  return shown;
}

std::optional<Showing> FrameLine::cut() {
  if (!open_) return std::nullopt;
  auto shown = close(open_->time + open_->duration);
  if (!shown) ++stats_.passed_over;
  return shown;
}

std::optional<Showing> FrameLine::close(Timestamp until) {
  auto open = *std::exchange(open_, std::nullopt);
  Showing shown{axis_.instant_of(open.time), axis_.instant_of(until), open.time, until,
                std::move(open.picture)};
  if (shown.begin == shown.end) return std::nullopt;
  return shown;
}

}  // namespace gopline::aggregator
