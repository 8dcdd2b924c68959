#include "aggregator/follow_meter.h"

#include <algorithm>

namespace gopline::aggregator {
namespace {

void raise(const metrics::Counter& counter, std::uint64_t& known, std::uint64_t total) {
  counter.add(static_cast<double>(total - known));
  known = total;
}

}  // namespace

void FollowMeter::stated(const Absence& absence, bool is_new) {
  if (is_new) {
    ++stats_.gaps;
    metrics_.gaps[absence.cause].add();
  }
  if (absence.from && absence.to && *absence.from < *absence.to) {
    metrics_.gap_seconds[absence.cause].add(
        std::chrono::duration<double>(*absence.to - *absence.from).count());
  }
}

void FollowMeter::put_out(const Piece& piece, Timestamp now, SteadyTime steady_now) {
  auto waited = std::chrono::duration_cast<Duration>(steady_now - piece.arrival);
  auto whole_way = now - piece.time;
  stats_.read_to_output.observe(waited);
  stats_.capture_to_read.observe(whole_way - waited);
  stats_.capture_to_output.observe(whole_way);
  metrics_.read_to_output.observe(waited);
  metrics_.capture_to_read.observe(whole_way - waited);
  metrics_.capture_to_output.observe(whole_way);
  stats_.newest_delay = whole_way;
  stats_.newest_wait = waited;
  stats_.reached = piece.time + piece.duration;
  ++stats_.pieces;
  if (piece.at.part == 0) {
    ++stats_.segments;
    metrics_.segments.add();
  }
  stats_.bytes += piece.data.bytes.size();
  metrics_.bytes.add(static_cast<double>(piece.data.bytes.size()));
}

void FollowMeter::set_lag(Duration lag) {
  stats_.lag = std::max(lag, Duration(0));
  metrics_.lag_seconds.set(stats_.lag);
}

void FollowMeter::read(Timestamp written, Timestamp now) {
  set_lag(now - written);
}

void FollowMeter::lags(std::int64_t records) {
  stats_.lag_records = records;
  metrics_.lag_records.set(static_cast<double>(records));
  if (records == 0) set_lag(Duration(0));
}

void FollowMeter::update(const PlayoutStats& playout, std::uint64_t duplicates, std::uint64_t late) {
  stats_.playout = playout;
  metrics_.buffer_bytes.set(static_cast<double>(playout.waiting_bytes));
  metrics_.buffer_pieces.set(static_cast<double>(playout.waiting_pieces));
  metrics_.delay.set(playout.delay);
  metrics_.drift.set(playout.drift_ppm * 1e-6);
  raise(metrics_.duplicates, stats_.duplicates, duplicates);
  raise(metrics_.late, stats_.late, late);
}

}  // namespace gopline::aggregator
