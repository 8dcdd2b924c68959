#pragma once
#include <deque>

#include "common/base/clock.h"

namespace gopline::aggregator {

struct ClockDriftOptions {
  Duration bucket = std::chrono::seconds(5);  // of arrivals of which the quickest counts
  Duration window = std::chrono::minutes(5);
  Duration least_span = std::chrono::minutes(1);  // before that the clocks are taken to run alike
  double most_ppm = 1000;                         // a larger slope is something else than quartz
};

// How the writer's clock lies beside the reader's, and how much faster or slower it runs: the line below all
// (media time, arrival) that touches the quickest.
//
// Nothing arrives before it was made, so delays only ever push points up and the lower envelope is nearest to
// the truth. Its slope is the median of the slopes between the least points of all pairs of buckets
// (Theil-Sen): a bucket in which everything was late does not move it. Playing along the line absorbs drift
// by when pieces are put out; their timestamps stay. Pure; bounded memory; not thread-safe.
class ClockDrift {
 public:
  explicit ClockDrift(ClockDriftOptions options = {}) : options_(options) {}

  // Footage that ended at this media time came.
  void observe(Duration media_end, SteadyTime arrival);
  bool empty() const { return buckets_.empty(); }

  // When footage of this media time can be here at the earliest. Undefined while empty().
  SteadyTime earliest(Duration media) const;
  // How much slower the writer's clock runs than ours, in millionths.
  double ppm() const { return slope_ * 1e6; }

 private:
  struct Point {
    double media = 0;   // µs since the first one
    double offset = 0;  // µs: arrival less media time, relative to the first one's
  };
  struct Bucket {
    SteadyTime begin;
    Point least;
  };
  void fit_slope();
  void fit_base();

  ClockDriftOptions options_;
  std::deque<Bucket> buckets_;
  Duration media_zero_{};
  SteadyTime arrival_zero_{};
  double slope_ = 0;
  double base_ = 0;  // the line's offset at media_zero_
};

}  // namespace gopline::aggregator
