#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/inspect_table.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/stream_summary.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"
#include "common/catalog/history.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kInspectExamples =
    "  gopline inspect lobby                  a row per segment, all epochs\n"
    "  gopline inspect lobby --epoch latest   of the newest epoch only\n"
    "  gopline inspect lobby --tracks         what each epoch carries\n"
    "  gopline inspect lobby --urls 1h        where a browser may fetch payloads that lie in an object "
    "store\n"
    "  gopline inspect lobby --from 2026-11-22T18:00:00Z --to 2026-11-22T19:00:00Z --json\n";

struct InspectOptions {
  LogOptions log;
  OutputOptions output;
  std::string stream;
  std::optional<aggregator::EpochSelection> epoch;
  std::optional<Timestamp> from, to;
  bool tracks = false;
  BlobOptions blobs;
  std::optional<Duration> urls;  // presigned ones, valid that long
};

ordered_json segment_json(const record::IndexEntry& entry) {
  ordered_json json{{"ordinal", entry.ordinal.value},
                    {"epoch", entry.epoch.value},
                    {"segment", entry.segment.value},
                    {"discontinuities", entry.discontinuities},
                    {"late", entry.late},
                    {"time", format_rfc3339(entry.time)},
                    {"clock", record::to_string(entry.clock)},
                    {"start", to_string(entry.start)},
                    {"duration", to_string(entry.duration)},
                    {"size", entry.size},
                    {"sap", entry.sap},
                    {"partition", entry.partition.value},
                    {"offsets", ordered_json::array()},
                    {"parts", ordered_json::array()}};
  for (auto offset : entry.offsets) json["offsets"].push_back(offset.value);
  for (const auto& part : entry.parts) {
    json["parts"].push_back({{"track", part.track},
                             {"offset", part.offset},
                             {"size", part.size},
                             {"duration", to_string(part.duration)},
                             {"sap", part.sap}});
  }
  json["dataref"] = entry.dataref.empty() ? ordered_json() : ordered_json(entry.dataref);
  json["gap"] = entry.gap ? json_of(FoundGap{entry.epoch, entry.segment, *entry.gap}) : ordered_json();
  return json;
}

std::string epochs_table(const std::vector<catalog::EpochHistory>& epochs) {
  Table table({{"EPOCH", Align::kRight},
               {"TRACK", Align::kRight},
               {"TYPE"},
               {"CODEC"},
               {"TIME BASE"},
               {"WHAT"},
               {"ENDED"},
               {"SOURCE"}});
  for (const auto& epoch : epochs) {
    for (const auto& track : epoch.started.marker.tracks) {
      table.add_row({std::to_string(epoch.started.epoch.value), std::to_string(track.id),
                     std::string(media::to_string(track.codec.type)), track.codec.codec,
                     to_string(track.time_base), show_track(track),
                     epoch.ended ? std::string(record::to_string(epoch.ended->cause)) : "no",
                     epoch.started.marker.source.name});
    }
  }
  return table.to_string();
}

ordered_json epoch_json(const catalog::EpochHistory& epoch) {
  const auto& marker = epoch.started.marker;
  ordered_json json{{"epoch", epoch.started.epoch.value},
                    {"offset", epoch.started.offset.value},
                    {"started", format_rfc3339(marker.time)},
                    {"writer", marker.writer},
                    {"program", marker.program},
                    {"source", marker.source.name},
                    {"clock", record::to_string(marker.clock)},
                    {"content_type", marker.content_type},
                    {"tracks", ordered_json::array()}};
  for (const auto& track : marker.tracks) json["tracks"].push_back(json_of(track));
  json["ended"] = ordered_json();
  if (epoch.ended) {
    json["ended"] = {{"time", format_rfc3339(epoch.ended->time)},
                     {"cause", record::to_string(epoch.ended->cause)},
                     {"segments", epoch.ended->segments},
                     {"bytes", epoch.ended->bytes}};
  }
  return json;
}

using EpochKind = aggregator::EpochSelection::Kind;

// The one epoch that is asked for; nullopt: all.
std::optional<EpochNumber> chosen_epoch(const InspectOptions& options, const record::StreamState& state) {
  if (!options.epoch || options.epoch->kind == EpochKind::kAll) return std::nullopt;
  return options.epoch->kind == EpochKind::kLatest ? state.epoch : options.epoch->number;
}

// For each segment a URL by which anybody may fetch its payload for a while; empty where it is in the log.
Result<std::vector<std::string>> urls_of(const std::vector<record::IndexEntry>& entries,
                                         const InspectOptions& options) {
  BlobStores stores(options.blobs);
  std::vector<std::string> urls;
  for (const auto& entry : entries) {
    auto& url = urls.emplace_back();
    if (entry.dataref.empty()) continue;
    GOPLINE_ASSIGN(auto store, stores.store_of(entry.dataref));
    GOPLINE_ASSIGN(auto key, store->key_of(entry.dataref));
    GOPLINE_ASSIGN(url, store->presign(key, *options.urls));
  }
  return urls;
}

// One line each, for a pipe: no table would hold them.
std::string urls_text(const std::vector<record::IndexEntry>& entries, const std::vector<std::string>& urls) {
  std::string text;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    text += fmt::format("{}\t{}\n", entries[i].ordinal.value, urls[i].empty() ? "-" : urls[i]);
  }
  return text;
}

Result<int> run(const InspectOptions& options, const Environment& environment) {
  GOPLINE_ASSIGN(auto log, open_for_reading(options.log, environment.stop));
  GOPLINE_ASSIGN(auto state, log.directory->find(options.stream));
  auto chosen = chosen_epoch(options, state);
  ordered_json json{
      {"stream", state.stream}, {"state", state_word(state)}, {"partition", state.partition.value}};
  if (options.tracks) {
    GOPLINE_ASSIGN(auto epochs, catalog::read_epochs(*log.log, log.topics, state));
    if (chosen) std::erase_if(epochs, [&](const auto& epoch) { return epoch.started.epoch != *chosen; });
    json["epochs"] = ordered_json::array();
    for (const auto& epoch : epochs) json["epochs"].push_back(epoch_json(epoch));
    print_result(options.output.json ? json.dump(2) + "\n" : epochs_table(epochs));
    return kWhole;
  }
  catalog::SegmentQuery query{options.from, options.to, chosen};
  GOPLINE_ASSIGN(auto entries, catalog::find_segments(*log.log, log.topics, state, query));
  std::vector<std::string> urls;
  if (options.urls) {
    GOPLINE_ASSIGN(urls, urls_of(entries, options));
  }
  if (options.output.json) {
    json["segments"] = ordered_json::array();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      json["segments"].push_back(segment_json(entries[i]));
      if (options.urls)
        json["segments"].back()["url"] = urls[i].empty() ? ordered_json() : ordered_json(urls[i]);
    }
    print_result(json.dump(2) + "\n");
  } else if (options.urls) {
    print_result(urls_text(entries, urls));
  } else {
    print_result(segments_table(entries));
  }
  return kWhole;
}

}  // namespace

void add_inspect_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<InspectOptions>();
  auto* command =
      root.add_subcommand("inspect", "Show a stream's segments, a row each, or its epochs' tracks");
  add_stream_argument(*command, options->stream);
  add_log_options(*command, options->log);
  add_files_option(*command, options->log);
  add_epoch_option(*command, options->epoch, "Only this epoch: N, latest or all");
  add_time(*command, "--from", options->from, "Only segments that end after this capture time");
  add_time(*command, "--to", options->to, "Only segments that begin before this capture time");
  add_duration(*command, "--urls", options->urls,
               "Print for each segment a URL by which anybody may fetch its payload, valid this long");
  add_blob_options(*command, options->blobs);
  command->add_flag("--tracks", options->tracks, "Show the epochs and what they carry instead");
  add_json_option(*command, options->output);
  add_footer(*command, kInspectExamples);
  command->callback([options, &chosen] {
    chosen = [options](const Environment& environment) {
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
