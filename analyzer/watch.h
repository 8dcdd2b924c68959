#pragma once
#include <cstdint>
#include <optional>

#include "common/base/clock.h"

namespace gopline::analyzer {

struct WatchOptions {
  Duration min_time = std::chrono::milliseconds(300);  // what is shorter is none
  Duration quiet = std::chrono::seconds(1);            // an absence that is shorter ends nothing
  // Events end at every multiple of it in time, and begin again: so the start of one that is open is never
  // far away, and who begins in the middle of long motion cuts where others did.
  Duration most = std::chrono::seconds(30);
  Duration update = std::chrono::seconds(1);  // between updates; 0: none
};

// When something (motion in a zone, a picture that is black) begins, goes on and ends, from whether it is
// there at each picture. Pure.
class Watch {
 public:
  explicit Watch(WatchOptions options) : options_(options) {}

  enum class Say { kNothing, kStart, kUpdate, kEnd };
  // The next picture, at `time`, and whether it is there.
  Say look(Timestamp time, bool is_there);
  bool is_open() const { return open_since_.has_value(); }
  // Where what is open, or has just been said to start, began.
  Timestamp began() const { return began_; }

 private:
  std::int64_t piece_of(Timestamp time) const;

  WatchOptions options_;
  std::optional<Timestamp> there_since_, open_since_;
  Timestamp began_{}, last_there_{}, told_{};
};

}  // namespace gopline::analyzer
