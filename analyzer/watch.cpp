#include "analyzer/watch.h"

namespace gopline::analyzer {

Watch::Say Watch::look(Timestamp time, bool is_there) {
  if (is_there) {
    if (!there_since_) there_since_ = time;
    last_there_ = time;
  } else if (!open_since_ && there_since_ && time - last_there_ > options_.min_time) {
    there_since_.reset();
  }
  if (!open_since_) {
    if (!is_there || time - *there_since_ < options_.min_time) return Say::kNothing;
    began_ = *there_since_;
    open_since_ = told_ = time;
    return Say::kStart;
  }
  bool is_over = time - last_there_ >= options_.quiet;
  if (is_over || piece_of(time) != piece_of(*open_since_)) {
    open_since_.reset();
    there_since_ = is_over ? std::nullopt : std::optional(time);
    return Say::kEnd;
  }
  if (!is_there || options_.update == Duration::zero() || time - told_ < options_.update)
    return Say::kNothing;
  told_ = time;
  return Say::kUpdate;
}

std::int64_t Watch::piece_of(Timestamp time) const {
  auto since = time.time_since_epoch().count(), most = options_.most.count();
  return since / most - (since % most < 0 ? 1 : 0);
}

}  // namespace gopline::analyzer
