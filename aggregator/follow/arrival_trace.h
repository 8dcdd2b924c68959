#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include "aggregator/follow/piece.h"
#include "aggregator/follow/resequencer.h"
#include "common/base/clock.h"

// Made-up networks for tests: what a writer wrote, and when what of it reached the reader.
namespace gopline::aggregator::testing {

struct TraceSettings {
  int epochs = 1, segments = 20;  // of each
  Duration jitter{};              // mean, of what a piece takes beyond the quickest
  double stalls = 0;              // chance that nothing arrives for some seconds behind a segment
  double very_late = 0;           // chance of up to 20 s
  double lost = 0, duplicated = 0, told_lost = 0;
  double markers_lost = 0;
  double unwritten = 0;   // chance of a pause of the source before a segment
  double continued = 0;   // chance that a segment begins in the middle of a GOP
  double unfinished = 0;  // chance that a writer leaves a segment after some of its parts
  double drift_ppm = 0;
  Duration part_length{};      // 0: any
  bool in_log_order = false;   // what was written first comes first
  bool begins_inside = false;  // the reader comes when the first epoch has begun
};

struct EpochStart {
  EpochNumber epoch;
};
struct EpochStop {
  EpochNumber epoch;
  std::int64_t segments = 0;
};
struct Unwritten {
  EpochNumber epoch;
  std::int64_t before = 0;
  UnwrittenFootage footage;
};
struct ToldLost {
  Position begin, end;
};
struct TraceEvent {
  SteadyTime at;
  std::variant<Piece, EpochStart, EpochStop, Unwritten, ToldLost> what;
};

struct ArrivalTrace {
  std::vector<Piece> written;  // in order
  std::vector<TraceEvent> events;
};

// Time at the reader runs; at the writer it runs, too, a little slower or faster.
class TraceMaker {
 public:
  TraceMaker(const TraceSettings& settings, std::uint64_t seed) : settings_(settings), random_(seed) {}

  ArrivalTrace make() {
    for (int i = 0; i < settings_.epochs; ++i) make_epoch(i);
    std::ranges::stable_sort(trace_.events, {}, &TraceEvent::at);
    return std::move(trace_);
  }

 private:
  double fraction() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  bool chance(double p) { return fraction() < p; }
  Duration between(Duration least, Duration most) {
    return Duration(std::uniform_int_distribution<Duration::rep>(least.count(), most.count())(random_));
  }

  // When something that the writer had at `made` reaches the reader.
  SteadyTime arrival(Duration made) {
    auto writer = static_cast<double>(made.count()) * (1 + settings_.drift_ppm * 1e-6);
    auto at = SteadyTime(std::chrono::hours(10)) + Duration(static_cast<Duration::rep>(writer)) + kQuickest;
    if (settings_.jitter > Duration(0)) {
      auto mean = static_cast<double>(settings_.jitter.count());
      at += Duration(static_cast<Duration::rep>(std::exponential_distribution<double>(1 / mean)(random_)));
    }
    if (chance(settings_.very_late)) at += between(Duration(0), std::chrono::seconds(20));
    at = std::max(at, stalled_until_);
    if (settings_.in_log_order) at = newest_ = std::max(at, newest_);
    return at;
  }

  template <typename What>
  void tell(What what) {
    trace_.events.push_back({arrival(now_), std::move(what)});
  }

  void make_epoch(int index) {
    epoch_ = EpochNumber(100 + 7 * index);
    media_ = Duration(0);
    if (index > 0) ++discontinuity_;
    bool told = index > 0 || !settings_.begins_inside;
    if (told && !chance(settings_.markers_lost)) tell(EpochStart{epoch_});
    auto first = index == 0 && settings_.begins_inside ? 5 : 0;
    for (int i = first; i < first + settings_.segments; ++i) make_segment(i, i == 0);
    if (chance(0.6) && !chance(settings_.markers_lost)) tell(EpochStop{epoch_, first + settings_.segments});
    now_ += between(Duration(0), std::chrono::seconds(3));
  }

  void make_segment(std::int64_t number, bool first) {
    if (!first && chance(settings_.unwritten)) {
      auto pause = between(std::chrono::milliseconds(100), std::chrono::seconds(30));
      ++discontinuity_;
      now_ += pause;
      tell(Unwritten{epoch_, number, {AbsenceCause::kSourceOutage, time() - pause, time(), 0}});
    }
    if (chance(settings_.stalls)) {
      auto stall = between(std::chrono::seconds(1), std::chrono::seconds(8));
      stalled_until_ = arrival(now_) + stall;
    }
    auto sap = chance(0.2) ? 3 : 1;
    if (chance(settings_.continued)) sap = 0;
    auto parts = std::uniform_int_distribution<std::int64_t>(1, 4)(random_);
    bool all_lost = chance(settings_.lost);
    if (chance(settings_.told_lost)) {
      auto end = chance(0.3) ? number + 3 : number + 1;  // what comes of it all the same is played
      tell(ToldLost{{epoch_, number, 0}, {epoch_, end, 0}});
      all_lost = all_lost || chance(0.8);
    }
    auto written = parts;
    if (parts > 1 && chance(settings_.unfinished)) {
      written = std::uniform_int_distribution<std::int64_t>(1, parts - 1)(random_);
    }
    for (std::int64_t part = 0; part < written; ++part) {
      make_part({epoch_, number, part}, part + 1 == parts, part == 0 ? sap : 0, all_lost);
    }
    if (written < parts) tell(ToldLost{{epoch_, number, written}, {epoch_, number + 1, 0}});
  }

  void make_part(const Position& at, bool last, int sap, bool lost) {
    Piece piece;
    piece.at = at;
    piece.last = last;
    piece.sap = sap;
    piece.discontinuity = discontinuity_;
    piece.start = media_;
    piece.duration = settings_.part_length > Duration(0)
                         ? settings_.part_length
                         : between(std::chrono::milliseconds(40), std::chrono::milliseconds(800));
    piece.time = time();
    piece.bytes = std::uniform_int_distribution<std::size_t>(0, 20'000)(random_);
    media_ += piece.duration;
    now_ += piece.duration;
    trace_.written.push_back(piece);
    if (lost || chance(settings_.lost)) return;
    tell(piece);
    while (chance(settings_.duplicated)) tell(piece);
  }

  Timestamp time() const { return Timestamp(std::chrono::hours(24 * 365 * 50) + now_); }

  static constexpr Duration kQuickest = std::chrono::milliseconds(20);
  TraceSettings settings_;
  std::mt19937_64 random_;
  ArrivalTrace trace_;
  EpochNumber epoch_{};
  Duration now_{}, media_{};  // by the writer's clock; on the epoch's timeline
  std::int64_t discontinuity_ = 0;
  SteadyTime stalled_until_{}, newest_{};
};

}  // namespace gopline::aggregator::testing
