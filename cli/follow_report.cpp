#include "cli/follow_report.h"

#include <fmt/format.h>

#include "cli/display_width.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using aggregator::DelaySummary;
using aggregator::FollowStats;
using nlohmann::ordered_json;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

ordered_json delay_json(const DelaySummary& delays) {
  return {{"p50", seconds(delays.quantile(0.5))},
          {"p99", seconds(delays.quantile(0.99))},
          {"most", seconds(delays.most())}};
}

std::string lag_words(const FollowStats& stats) {
  auto records = stats.lag_records ? show_count(*stats.lag_records) : "?";
  return fmt::format("{} records, {:.1f} s", records, seconds(stats.lag));
}

}  // namespace

std::string gap_line(const std::string& stream, const aggregator::Absence& absence) {
  auto which = absence.first_segment ? fmt::format(", from segment {} on", *absence.first_segment) : "";
  return fmt::format("gap in {}: {}, epoch {}{}, {} to {}: {}", printable(stream), to_string(absence.cause),
                     absence.epoch, which, show_time(absence.from), show_time(absence.to), absence.reason);
}

std::string stats_row(const FollowStats& stats) {
  auto row =
      fmt::format("{:>6.2f} s behind capture ({:.2f} s read to out)  {:>3} pieces {:>8} waiting  {:>8} out",
                  seconds(stats.newest_delay), seconds(stats.newest_wait), stats.playout.waiting_pieces,
                  format_bytes(stats.playout.waiting_bytes), format_bytes(stats.bytes));
  if (stats.gaps > 0) row += fmt::format("  {} gaps", stats.gaps);
  if (stats.late > 0) row += fmt::format("  {} late", stats.late);
  if (stats.duplicates > 0) row += fmt::format("  {} twice", stats.duplicates);
  return row + "  lag " + lag_words(stats);
}

std::string stats_text(const FollowStats& stats) {
  Table table({{"DELAY"}, {"50 %", Align::kRight}, {"99 %", Align::kRight}, {"MOST", Align::kRight}});
  auto row = [&](const char* name, const DelaySummary& delays) {
    auto show = [](Duration delay) { return fmt::format("{:.3f} s", seconds(delay)); };
    table.add_row({name, show(delays.quantile(0.5)), show(delays.quantile(0.99)), show(delays.most())});
  };
  row("capture to read", stats.capture_to_read);
  row("read to output", stats.read_to_output);
  row("capture to output", stats.capture_to_output);
  return fmt::format(
      "{}{} pieces; {} gaps, {} late, {} twice; due {:.3f} s behind the quickest; clocks {:+.1f} ppm; lag "
      "{}\n",
      table.to_string(), show_count(static_cast<std::int64_t>(stats.pieces)), stats.gaps, stats.late,
      stats.duplicates, seconds(stats.playout.delay), stats.playout.drift_ppm, lag_words(stats));
}

ordered_json stats_json(const FollowStats& stats) {
  const auto& playout = stats.playout;
  ordered_json json{{"pieces", stats.pieces},
                    {"gaps", stats.gaps},
                    {"late", stats.late},
                    {"duplicates", stats.duplicates},
                    {"unplayable", playout.order.unplayable},
                    {"over_budget", playout.order.over_budget},
                    {"capture_to_read_seconds", delay_json(stats.capture_to_read)},
                    {"read_to_output_seconds", delay_json(stats.read_to_output)},
                    {"capture_to_output_seconds", delay_json(stats.capture_to_output)},
                    {"buffer_bytes", playout.waiting_bytes},
                    {"buffer_pieces", playout.waiting_pieces},
                    {"delay_seconds", seconds(playout.delay)},
                    {"drift_ppm", playout.drift_ppm}};
  json["lag_records"] = stats.lag_records ? ordered_json(*stats.lag_records) : ordered_json();
  json["lag_seconds"] = seconds(stats.lag);
  return json;
}

}  // namespace gopline::cli
