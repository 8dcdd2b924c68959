#include "cli/split_report.h"

#include <fmt/format.h>

#include "cli/display_width.h"
#include "cli/progress.h"
#include "cli/strategy_report.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

std::int64_t segments_of(const SplitTask& task) {
  return task.report ? task.report->epoch.segments : task.progress.segments;
}
std::uint64_t bytes_of(const SplitTask& task) {
  return task.report ? task.report->epoch.bytes : task.progress.bytes;
}
Duration media_time_of(const SplitTask& task) {
  return task.report ? task.report->media_time : task.progress.media_time;
}

ordered_json json_of(const SplitTask& task) {
  ordered_json json{{"stream", task.stream},
                    {"source", without_secrets(task.source)},
                    {"outcome", outcome_word(task)},
                    {"epoch", nullptr},
                    {"first_ordinal", nullptr},
                    {"segments", segments_of(task)},
                    {"bytes", bytes_of(task)},
                    {"duration_seconds", static_cast<double>(media_time_of(task).count()) / 1e6},
                    {"elapsed_seconds", static_cast<double>(task.elapsed.count()) / 1e6}};
  json["skipped_tracks"] = ordered_json::array();
  if (task.report) {
    json["epoch"] = task.report->epoch.epoch.value;
    json["first_ordinal"] = task.report->epoch.first_ordinal.value;
    json["packets"] = task.report->packets;
    json["corrupt_packets"] = task.report->corrupt_packets;
    json["broken_pictures"] = task.report->broken_pictures;
    for (const auto& track : task.report->skipped) {
      json["skipped_tracks"].push_back(
          {{"index", track.source_index}, {"description", track.description}, {"reason", track.reason}});
    }
  }
  if (task.report && task.is_live) {
    json["epochs"] = task.report->epochs;
    json["outages"] = task.report->outages;
    json["lost_packets"] = task.report->lost_packets;
    json["dropped_bytes"] = task.report->dropped_bytes;
  }
  if (task.report) json["payloads"] = strategies_json(task.report->epoch.strategies);
  json["error"] = task.has_failed() ? ordered_json(failure_message(task)) : ordered_json();
  return json;
}

}  // namespace

std::string_view outcome_word(const SplitTask& task) {
  if (task.has_failed()) return "failed";
  return task.was_stopped() ? "stopped" : "done";
}

std::string failure_message(const SplitTask& task) {
  auto source = without_secrets(task.source);
  auto message = task.error->message;
  if (message.find(source) == std::string::npos) message = fmt::format("{}: {}", source, message);
  if (segments_of(task) > 0) {
    message +=
        fmt::format(" ({} segments that came before are stored in '{}')", segments_of(task), task.stream);
  }
  return printable(message);
}

std::string to_text(const std::deque<SplitTask>& tasks) {
  Table table({{"STREAM"},
               {"EPOCH", Align::kRight},
               {"SEGMENTS", Align::kRight},
               {"BYTES", Align::kRight},
               {"DURATION", Align::kRight},
               {"RATE", Align::kRight},
               {"OUTCOME"}});
  std::string notes;
  for (const auto& task : tasks) {
    table.add_row({task.stream, task.report ? std::to_string(task.report->epoch.epoch.value) : "-",
                   show_count(segments_of(task)), format_bytes(bytes_of(task)),
                   format_duration(media_time_of(task)), format_rate(bytes_of(task), task.elapsed),
                   std::string(outcome_word(task))});
    if (!task.report) continue;
    for (const auto& track : task.report->skipped) {
      notes += fmt::format("{}: track {} ({}) is not carried: {}\n", printable(task.stream),
                           track.source_index, printable(track.description), printable(track.reason));
    }
    if (task.report->outages > 0) {
      notes += fmt::format("{}: {} outages, {} epochs\n", printable(task.stream), task.report->outages,
                           task.report->epochs);
    }
    if (task.report->lost_packets > 0) {
      notes +=
          fmt::format("{}: the network lost {} RTP packets; pictures with holes are stored as they came\n",
                      printable(task.stream), task.report->lost_packets);
    }
    if (task.report->dropped_bytes > 0) {
      notes += fmt::format("{}: {} were dropped, because the log did not keep up\n", printable(task.stream),
                           format_bytes(task.report->dropped_bytes));
    }
    if (task.report->broken_pictures > 0) {
      notes += fmt::format("{}: {} files are no pictures, or broken, and were passed over\n",
                           printable(task.stream), task.report->broken_pictures);
    }
    if (task.report->corrupt_packets > 0) {
      notes += fmt::format("{}: the source marks {} packets as damaged; they are stored as they are\n",
                           printable(task.stream), task.report->corrupt_packets);
    }
  }
  return table.to_string() + notes;
}

splitter::StrategyUses strategies_of(const std::deque<SplitTask>& tasks) {
  splitter::StrategyUses all;
  for (const auto& task : tasks) {
    if (task.report) add(all, task.report->epoch.strategies);
  }
  return all;
}

ordered_json json_of(const std::deque<SplitTask>& tasks, std::string_view log) {
  ordered_json json{{"log", log}, {"streams", ordered_json::array()}};
  for (const auto& task : tasks) json["streams"].push_back(json_of(task));
  return json;
}

}  // namespace gopline::cli
