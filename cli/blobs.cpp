#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/blob_stores.h"
#include "cli/blob_survey.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/display_width.h"
#include "cli/exit_codes.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kBlobsExamples =
    "  gopline blobs list --blobs /srv/blobs                  what lies there, by stream\n"
    "  gopline blobs verify --log ./gopline-data              read every payload that the log refers to\n"
    "  gopline blobs gc --log ./gopline-data --blobs /srv/blobs            what could go\n"
    "  gopline blobs gc --log ./gopline-data --blobs /srv/blobs --delete   and away with it\n\n"
    "Retention takes records; the payloads that they stood for stay until gc. One --blobs URL belongs to "
    "one\n"
    "log: gc takes everything under its namespace that this log does not refer to.\n";

// Longer than any delivery time-out: within it a writer's record follows its payload, or never.
constexpr auto kLeastGrace = std::chrono::minutes(15);

struct BlobsCommand {
  LogOptions log;
  BlobOptions blobs;
  OutputOptions output;
  CollectOptions collect;
};

Result<Namespaces> namespaces_of(const LogOptions& options) {
  Namespaces both;
  GOPLINE_ASSIGN(both.emplace_back(), namespace_of(options));
  GOPLINE_ASSIGN(both.emplace_back(), files_namespace_of(options));
  return both;
}

ordered_json json_of(const BlobSum& sum) {
  return {{"blobs", sum.blobs}, {"bytes", sum.bytes}};
}

Result<int> run_list(const BlobsCommand& command, const Environment& environment) {
  BlobStores stores(command.blobs);
  GOPLINE_ASSIGN(auto store, stores.for_reading());
  GOPLINE_ASSIGN(auto list, list_blobs(*store, environment.stop));
  if (command.output.json) {
    ordered_json json{{"blobs", store->describe()}, {"streams", ordered_json::array()}};
    for (const auto& s : list.streams) {
      json["streams"].push_back({{"namespace", s.topic_namespace},
                                 {"stream", s.stream},
                                 {"blobs", s.sum.blobs},
                                 {"bytes", s.sum.bytes},
                                 {"first_hour", s.first_hour},
                                 {"last_hour", s.last_hour}});
    }
    json["foreign"] = ordered_json::array();
    for (const auto& blob : list.foreign) json["foreign"].push_back(blob.key);
    print_result(json.dump(2) + "\n");
    return kWhole;
  }
  Table table({{"NAMESPACE"},
               {"STREAM"},
               {"BLOBS", Align::kRight},
               {"BYTES", Align::kRight},
               {"FIRST HOUR (UTC)"},
               {"LAST HOUR (UTC)"}});
  for (const auto& s : list.streams) {
    table.add_row({s.topic_namespace, s.stream, show_count(s.sum.blobs), format_bytes(s.sum.bytes),
                   s.first_hour, s.last_hour});
  }
  print_result(table.to_string());
  if (!list.foreign.empty()) print_result(fmt::format("{} files are not gopline's\n", list.foreign.size()));
  return kWhole;
}

Result<int> run_verify(const BlobsCommand& command, const Environment& environment) {
  GOPLINE_ASSIGN(auto namespaces, namespaces_of(command.log));
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kRead, environment.stop));
  BlobStores stores(command.blobs);
  ProgressBoard board(environment.clock, progress_options(command.output.quiet), print_note);
  auto line = board.add("payloads");
  auto report = verify_claims(
      *log, stores, namespaces,
      [&](std::uint64_t bytes) {
        board.update(line, {bytes, std::nullopt, {}});
      },
      environment.stop);
  board.close();
  if (!report) return tl::unexpected(std::move(report.error()));
  if (command.output.json) {
    ordered_json json{{"whole", json_of(report->whole)}, {"bad", ordered_json::array()}};
    for (const auto& bad : report->bad) {
      json["bad"].push_back({{"kind", bad.missing ? "missing" : "altered"},
                             {"uri", bad.uri},
                             {"stream", bad.stream},
                             {"epoch", bad.epoch.value},
                             {"segment", bad.segment.value},
                             {"message", bad.message}});
    }
    print_result(json.dump(2) + "\n");
  } else {
    print_result(fmt::format("{} payloads with {} are whole, {} are not\n", show_count(report->whole.blobs),
                             format_bytes(report->whole.bytes), report->bad.size()));
    Table table({{"WHAT"}, {"STREAM"}, {"EPOCH", Align::kRight}, {"SEGMENT", Align::kRight}, {"URI"}});
    for (const auto& bad : report->bad) {
      table.add_row({bad.missing ? "missing" : "altered", bad.stream, std::to_string(bad.epoch.value),
                     std::to_string(bad.segment.value), bad.uri});
    }
    if (!table.empty()) print_result("\n" + table.to_string());
  }
  return report->bad.empty() ? kWhole : kNotWhole;
}

Result<int> run_collect(const BlobsCommand& command, const Environment& environment) {
  GOPLINE_ASSIGN(auto namespaces, namespaces_of(command.log));
  GOPLINE_ASSIGN(auto log, open_log(command.log, LogUse::kRead, environment.stop));
  BlobStores stores(command.blobs);
  GOPLINE_ASSIGN(auto store, stores.for_reading());
  GOPLINE_ASSIGN(auto report, collect_blobs(*log, *store, namespaces, command.collect, environment.clock,
                                            environment.stop));
  BlobSum orphans;
  for (const auto& blob : report.orphans) orphans.add(blob.size);
  if (command.output.json) {
    ordered_json json{{"referenced", json_of(report.referenced)}, {"young", json_of(report.young)},
                      {"foreign", json_of(report.foreign)},       {"orphans", json_of(orphans)},
                      {"removed", json_of(report.removed)},       {"unfinished", report.unfinished}};
    json["keys"] = ordered_json::array();
    for (const auto& blob : report.orphans) json["keys"].push_back(blob.key);
    print_result(json.dump(2) + "\n");
    return kWhole;
  }
  Table table({{"WHAT"}, {"BLOBS", Align::kRight}, {"BYTES", Align::kRight}, {"MEANING"}});
  auto row = [&](const char* what, const BlobSum& sum, const char* meaning) {
    table.add_row({what, show_count(sum.blobs), format_bytes(sum.bytes), meaning});
  };
  row("referenced", report.referenced, "a record of the log stands for them");
  row("young", report.young, "younger than --grace: their record may be on its way");
  row("orphans", orphans, "no record refers to them");
  row("removed", report.removed, command.collect.remove ? "of the orphans" : "none: --delete was not given");
  row("foreign", report.foreign, "not gopline's: left alone");
  print_result(table.to_string());
  if (report.unfinished > 0) {
    print_result(fmt::format("{} puts that never came to their end{}\n", report.unfinished,
                             command.collect.remove ? " were cleared away" : " would be cleared away"));
  }
  return kWhole;
}

using Run = Result<int> (*)(const BlobsCommand&, const Environment&);

CLI::App* declare(CLI::App& parent, const std::string& name, const std::string& what,
                  const std::shared_ptr<BlobsCommand>& options, Run run, bool needs_store, Action& chosen) {
  auto* command = parent.add_subcommand(name, what);
  add_blob_options(*command, options->blobs);
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kBlobsExamples);
  command->callback([options, run, needs_store, &chosen] {
    if (needs_store && options->blobs.url.empty()) throw CLI::RequiredError("--blobs");
    if (options->collect.grace < kLeastGrace) {
      throw CLI::ValidationError("--grace", "a record may follow its payload that late: give 15min or more");
    }
    chosen = [options, run](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
  return command;
}

}  // namespace

void add_blobs_command(CLI::App& root, Action& chosen) {
  auto* blobs = root.add_subcommand("blobs", "Look after payloads that lie outside of the log");
  blobs->require_subcommand(1);
  add_footer(*blobs, kBlobsExamples);
  auto options = std::make_shared<BlobsCommand>();
  declare(*blobs, "list", "What lies in a store, by stream", options, run_list, true, chosen);
  auto* verify = declare(*blobs, "verify", "Read every payload that the log refers to, and check it", options,
                         run_verify, false, chosen);
  add_log_options(*verify, options->log);
  auto* collect = declare(*blobs, "gc", "Find payloads that no record refers to, and remove them", options,
                          run_collect, true, chosen);
  add_log_options(*collect, options->log);
  add_duration(*collect, "--grace", options->collect.grace,
               "How old a payload without a record must be: longer than any delivery takes")
      ->default_str("24h");
  collect->add_flag("--delete", options->collect.remove, "Remove them; else they are only counted");
}

}  // namespace gopline::cli
