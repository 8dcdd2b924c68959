#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>

#include "common/base/clock.h"
#include "common/base/rational.h"

namespace gopline::splitter {

// When the pictures of a sequence were taken, one after the other. By a given rate every picture has its
// place, whatever the files say. Else each has the time of its own; from a given start on, with the same
// distances. Cameras write whole seconds: what is not after the picture before it, by less than a second, is
// put a millisecond behind it. Pure.
class PictureTimes {
 public:
  // `start`: of the first picture. `rate`: so many a second.
  PictureTimes(std::optional<Timestamp> start, std::optional<Rational> rate) : start_(start), rate_(rate) {}

  // Of the next picture, whose file says `own`.
  Timestamp next(Timestamp own) {
    auto time = placed(own);
    if (newest_ && time <= *newest_ && *newest_ - time < kSameBurst) time = *newest_ + kApart;
    ++count_;
    newest_ = time;
    return time;
  }

  // Of the next picture, which nobody can read: it has its place by a rate, and else comes right behind the
  // one before. nullopt: nothing was before, and nothing says when it was.
  std::optional<Timestamp> skip() {
    std::optional<Timestamp> time;
    if (newest_) time = *newest_ + kApart;
    if (rate_ && zero_) time = *zero_ + slot();
    ++count_;
    return time;
  }

 private:
  static constexpr Duration kApart = std::chrono::milliseconds(1);
  static constexpr Duration kSameBurst = std::chrono::seconds(1);

  Duration slot() const { return Duration(rescale(count_, {rate_->den, rate_->num}, kMicroseconds)); }

  Timestamp placed(Timestamp own) {
    if (rate_) {
      if (!zero_) zero_ = start_ ? *start_ : own - slot();
      return *zero_ + slot();
    }
    if (!start_) return own;
    if (!first_own_) first_own_ = own;
    return *start_ + (own - *first_own_);
  }

  const std::optional<Timestamp> start_;
  const std::optional<Rational> rate_;
  std::int64_t count_ = 0;         // of pictures before the next one
  std::optional<Timestamp> zero_;  // with a rate: of the first picture
  std::optional<Timestamp> first_own_, newest_;
};

}  // namespace gopline::splitter
