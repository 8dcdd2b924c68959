#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/segments/report.h"
#include "bench/segments/runner.h"
#include "cli/bench_table.h"
#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "common/base/text.h"

namespace gopline::cli {
namespace {

constexpr const char* kBenchSegmentsExamples =
    "  gopline bench segments                                   the log in ./gopline-data\n"
    "  gopline bench segments --log kafka://broker:9092 --output report\n"
    "  gopline bench segments --log kafka://broker:9092 --sizes 64KB,1MB,8MB --strategies inline,chunk\n"
    "  gopline bench segments --log kafka://broker:9092 --source lobby.mp4 --segment-duration 0.5s..10s\n"
    "  gopline bench segments --log kafka://broker:9092 --blobs /mnt/blobs --streams 4\n"
    "  gopline advise report/results.json                       what it means\n\n"
    "Every case is written and read back in topics of its own, which are removed afterwards.\n";

struct BenchCommand {
  LogOptions log;
  OutputOptions output;
  BlobOptions blobs;
  std::string sizes = "16KB..64MB";
  std::string durations = "0.5s..10s";
  std::string strategies;
  std::string folder;
  bench::Settings settings;

  BenchCommand() {
    settings.duration = std::chrono::seconds(2);
    settings.latency_duration = std::chrono::seconds(4);
    settings.warm_up = std::chrono::seconds(10);
    settings.most_bytes = 500'000'000;
  }
};

constexpr std::uint64_t kRecordFrame = 64 << 10;
// Kafka's default of socket.request.max.bytes, less what a request has around its record.
constexpr std::uint64_t kLargestRequest = (100 << 20) - (1 << 20);

// A record of the benchmark's topics may be as large as its largest payload, as far as a request to the
// broker may. Before the user's own properties, which win.
KafkaLogOptions with_large_records(KafkaLogOptions options, std::uint64_t largest) {
  auto limit = std::clamp<std::uint64_t>(largest + kRecordFrame, 16 << 20, kLargestRequest);
  options.properties.insert(options.properties.begin(),
                            {"gopline.max.message.bytes", std::to_string(limit), "gopline bench"});
  return options;
}

Result<std::unique_ptr<Log>> open_bench_log(const LogOptions& options, std::uint64_t largest,
                                            StopToken stop) {
  if (!is_kafka(options)) return open_log(options, LogUse::kWrite, std::move(stop));
  GOPLINE_ASSIGN(auto kafka, kafka_options(options, std::move(stop)));
  return open_kafka_log(with_large_records(std::move(kafka), largest));
}

struct Wanted {
  std::vector<std::uint64_t> sizes;
  std::vector<bench::Case> plan;
};

Result<Wanted> wanted_of(const BenchCommand& command) {
  Wanted wanted;
  GOPLINE_ASSIGN(wanted.sizes, bench::parse_sizes(command.sizes));
  std::vector<Duration> durations;
  if (!command.settings.source.empty()) {
    GOPLINE_ASSIGN(durations, bench::parse_durations(command.durations));
  }
  auto names = command.strategies;
  if (names.empty()) {
    names = "inline,chunk";
    if (!command.blobs.url.empty()) names += ",claim";
    if (is_kafka(command.log)) names += ",raw";
  }
  GOPLINE_ASSIGN(auto strategies, bench::parse_strategies(names));
  wanted.plan = bench::make_plan(wanted.sizes, durations, strategies);
  return wanted;
}

Result<void> write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) return fail_errno(errno == 0 ? EIO : errno, path.string() + ": cannot write");
  return {};
}

Result<void> write_files(const BenchCommand& command, const bench::Results& results) {
  if (command.folder.empty()) return {};
  std::filesystem::path folder = command.folder;
  GOPLINE_TRY(write_file(folder / "results.json", to_json(results).dump(2) + "\n"));
  GOPLINE_TRY(write_file(folder / "results.csv", to_csv(results)));
  auto advice = bench::advise(results, {});
  return write_file(folder / "report.html", to_html(results, advice ? &*advice : nullptr));
}

// A line of progress for the whole run, and above it what each case came to.
class Display {
 public:
  Display(const Clock& clock, bool quiet)
      : board_(clock, progress_options(quiet), print_note), quiet_(quiet), line_(board_.add("bench")) {}

  bench::Watcher watcher() {
    return {[this](double fraction, const std::string& what) {
              fraction_ = fraction;
              if (what == "warm-up" && !quiet_) board_.message("warming up");
              update();
            },
            [this](std::uint64_t bytes) {
              bytes_ += bytes;
              update();
            },
            [this](const std::string& line) {
              if (!quiet_) board_.message(line);
            }};
  }
  void close() { board_.close(); }

 private:
  void update() {
    ProgressState state;
    state.bytes = bytes_;
    state.fraction = fraction_;
    board_.update(line_, state);
  }

  ProgressBoard board_;
  bool quiet_;
  std::size_t line_;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<double> fraction_ = 0;
};

Result<bench::Run> measure(const BenchCommand& command, const Wanted& wanted,
                           const Environment& environment) {
  auto largest = *std::ranges::max_element(wanted.sizes);
  GOPLINE_ASSIGN(auto log, open_bench_log(command.log, largest, environment.stop));
  BlobStores stores(command.blobs);
  GOPLINE_ASSIGN(auto blobs, stores.for_writing());
  bench::Results results;
  results.settings = command.settings;
  auto& facts = results.environment;
  facts.log = log->describe();
  facts.blobs = blobs ? blobs->describe() : "";
  facts.program = GOPLINE_VERSION;
  facts.started = environment.clock.now();
  bench::describe_machine(facts);
  std::shared_ptr<bench::RawClient> raw;
  if (is_kafka(command.log)) {
    GOPLINE_ASSIGN(auto options, kafka_options(command.log, environment.stop));
    GOPLINE_ASSIGN(raw, bench::RawClient::create(options));
    facts.client = raw->version();
    facts.brokers = raw->brokers();
  }
  Display display(environment.clock, command.output.quiet);
  auto watcher = display.watcher();
  auto another = [&command, largest] { return open_bench_log(command.log, largest, {}); };
  bench::Tools tools{
      {*log, another, blobs.get(), watcher.on_line}, environment.clock, raw, environment.stop, watcher};
  auto run = bench::run_benchmark(tools, wanted.plan, std::move(results));
  display.close();
  return run;
}

Result<int> run(const BenchCommand& command, const Wanted& wanted, const Environment& environment) {
  if (!command.folder.empty()) {  // what cannot be written is better known before than after
    std::error_code error;
    std::filesystem::create_directories(command.folder, error);
    if (error) return fail_errno(error.value(), command.folder + ": cannot make the folder");
  }
  GOPLINE_ASSIGN(auto done, measure(command, wanted, environment));
  GOPLINE_TRY(write_files(command, done.results));
  print_result(command.output.json ? to_json(done.results).dump(2) + "\n" : to_table(done.results));
  if (!done.error) return kWhole;
  if (done.error->code == ErrorCode::kCancelled && environment.stop.stop_requested()) return kInterrupted;
  return report(*done.error);
}

void declare_measuring(CLI::App& command, BenchCommand& options) {
  command
      .add_option("--sizes", options.sizes, "Of payloads: SMALLEST..LARGEST by factors of four, or a list")
      ->type_name("SIZES")
      ->capture_default_str();
  command
      .add_option("--strategies", options.strategies,
                  "Of inline, chunk, chunk@SIZE, claim, auto and raw (the bare client). Default: all that "
                  "can be but auto")
      ->type_name("LIST");
  command
      .add_option("--source", options.settings.source,
                  "Real video, cut at each --segment-duration. Else random bytes alone")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command.add_option("--segment-duration", options.durations, "With --source: SHORTEST..LONGEST, or a list")
      ->type_name("DURATIONS")
      ->capture_default_str();
  command.add_option("--streams", options.settings.streams, "Written at once, each into its own partition")
      ->check(CLI::Range(1, 1000))
      ->type_name("N")
      ->capture_default_str();
  add_duration(command, "--duration", options.settings.duration, "Of writing, in each repetition of a case")
      ->default_str("2s");
  add_duration(command, "--latency-duration", options.settings.latency_duration,
               "Of the open loop, in each repetition")
      ->default_str("4s");
  add_bytes(command, "--max-bytes", options.settings.most_bytes, "Written at most in each repetition")
      ->default_str("500MB");
  command
      .add_option(
          "--rate", options.settings.rate,
          "Of the open loop, payloads a second over all streams. Else a third of what was reached, at "
          "most 10 from 1 MB on and 200 below")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command.add_option("--repetitions", options.settings.repetitions, "Of every case, interleaved")
      ->check(CLI::Range(1, 1000))
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--warm-up",
          [&options](const std::string& text) {
            auto duration = parse_duration(text);
            if (!duration) throw CLI::ValidationError("--warm-up", duration.error().message);
            options.settings.warm_up = *duration;
          },
          "Before anything counts; 0s for none")
      ->type_name("DURATION")
      ->default_str("10s");
}

}  // namespace

void add_bench_command(CLI::App& root, Action& chosen) {
  auto* bench = root.add_subcommand("bench", "Measure what a log does on this machine, with your cluster");
  bench->require_subcommand(1);
  auto options = std::make_shared<BenchCommand>();
  auto* command = bench->add_subcommand(
      "segments", "What a payload's size and the way it travels cost: MB/s, CPU, latency, memory");
  add_log_options(*command, options->log);
  add_blob_options(*command, options->blobs);
  declare_measuring(*command, *options);
  command
      ->add_option("--output", options->folder, "Also write results.json, results.csv and report.html here")
      ->type_name("FOLDER");
  add_json_option(*command, options->output);
  add_verbosity_options(*command, options->output);
  add_footer(*command, kBenchSegmentsExamples);
  command->callback([options, &chosen] {
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto wanted = wanted_of(*options);
      if (!wanted) return report_usage(wanted.error(), "bench segments");
      auto code = run(*options, *wanted, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
