#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "aggregator/aggregate.h"
#include "cli/blob_stores.h"
#include "cli/child_process.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/demo_stage.h"
#include "cli/exit_codes.h"
#include "cli/inspect_table.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "cli/packet_compare.h"
#include "cli/split_run.h"
#include "cli/stream_summary.h"
#include "cli/table.h"
#include "cli/text_forms.h"
#include "cli/verify_stream.h"
#include "common/base/text.h"
#include "common/catalog/history.h"

namespace gopline::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDemoExamples =
    "  gopline demo                    in a temporary folder that is removed afterwards\n"
    "  gopline demo --keep demo-out    keep the log and the videos it makes\n";

constexpr std::size_t kInspectedRows = 5;

struct DemoOptions {
  OutputOptions output;
  std::string log;
  std::string media;
  std::string keep;
};

// How one clip came through.
struct ClipResult {
  std::int64_t segments = 0;
  std::int64_t packets = 0;
  std::string own;     // in its own container
  std::string fmp4;    // as fragmented MP4
  std::string ffmpeg;  // what ffmpeg says of the first
  std::string verified;
  bool good = true;

  std::string judge(bool right, const std::string& what) {
    good = good && right;
    return right ? "✓ " + what : "✗ " + what;
  }
};

// The tour: clips into a log, a look at the log, back into files, and every claim proved.
class Demo {
 public:
  Demo(const DemoOptions& options, const Environment& environment, DemoFolder folder,
       std::vector<DemoClip> clips)
      : options_(options), environment_(environment), folder_(std::move(folder)), clips_(std::move(clips)) {
    log_options_.url = options.log.empty() ? (folder_.path() / "log").string() : options.log;
  }

  Result<int> run() {
    GOPLINE_TRY(split());
    GOPLINE_ASSIGN(opened_, open_for_reading(log_options_, environment_.stop));
    GOPLINE_TRY(show_streams());
    GOPLINE_TRY(show_segments());
    GOPLINE_TRY(prove());
    return finish();
  }

 private:
  static void heading(int number, std::string_view what) {
    print_result(fmt::format("\n{}. {}\n\n", number, what));
  }

  Result<void> split() {
    heading(1, fmt::format("Split {} clips at their key frames into a log, all at once", clips_.size()));
    print_result("   gopline split media/*\n\n");
    finish_output();
    std::vector<NamedSource> sources;
    for (const auto& clip : clips_) sources.push_back({clip.path.string(), clip.stream});
    GOPLINE_ASSIGN(auto log, open_log(log_options_, LogUse::kWrite, environment_.stop));
    splitter::SplitOptions common;
    GOPLINE_ASSIGN(common.topic_namespace, namespace_of(log_options_));
    common.sha256 = true;
    ProgressBoard board(environment_.clock, progress_options(options_.output.quiet), print_note);
    GOPLINE_ASSIGN(auto telemetry, Telemetry::start(""));
    auto tasks = split_all(*log, common, {}, sources, environment_, board, *telemetry);
    board.close();
    print_result(to_text(tasks));
    for (const auto& task : tasks) {
      if (task.error) return tl::unexpected(*task.error);
      if (task.was_stopped()) return fail(ErrorCode::kCancelled, "the demo was interrupted");
      epochs_[task.stream] = task.report->epoch.epoch;
    }
    return {};
  }

  Result<record::StreamState> state_of(const DemoClip& clip) const {
    return opened_.directory->find(clip.stream);
  }

  Result<void> show_streams() {
    heading(2, "What the log holds now");
    print_result("   gopline streams\n\n");
    std::vector<StreamSummary> streams;
    for (const auto& clip : clips_) {
      GOPLINE_ASSIGN(auto state, state_of(clip));
      GOPLINE_ASSIGN(auto summary, summarize(opened_, state));
      streams.push_back(std::move(summary));
    }
    print_result(streams_table(streams));
    return {};
  }

  Result<void> show_segments() {
    const auto& clip = clips_.front();
    heading(3, fmt::format("The first segments of '{}': each plays alone, each has its place", clip.stream));
    print_result(fmt::format("   gopline inspect {}\n\n", clip.stream));
    GOPLINE_ASSIGN(auto state, state_of(clip));
    GOPLINE_ASSIGN(auto entries, catalog::find_segments(*opened_.log, opened_.topics, state,
                                                        {{}, {}, epochs_[clip.stream]}));
    if (entries.size() > kInspectedRows) entries.resize(kInspectedRows);
    print_result(segments_table(entries));
    return {};
  }

  Result<void> prove() {
    heading(4, "Put every stream together again, and compare it with its source, packet by packet");
    print_result("   gopline aggregate STREAM --output FILE;  gopline verify STREAM\n\n");
    finish_output();
    ffmpeg_ = find_program("ffmpeg");
    ProgressBoard board(environment_.clock, progress_options(options_.output.quiet), print_note);
    auto line = board.add("proving");
    for (std::size_t i = 0; i < clips_.size(); ++i) {
      board.update(line, {bytes_, static_cast<double>(i) / static_cast<double>(clips_.size()), {}});
      GOPLINE_ASSIGN(auto result, prove(clips_[i]));
      results_.push_back(std::move(result));
    }
    board.close();
    return {};
  }

  Result<ClipResult> prove(const DemoClip& clip) {
    ClipResult result;
    auto own = file_of(clip, clip.extension());
    GOPLINE_ASSIGN(auto report, put_together(clip, own, ""));
    result.segments = report.segments;
    GOPLINE_ASSIGN(auto comparison, compare_packets(clip.path.string(), own));
    result.packets = comparison.packets;
    bytes_ += comparison.bytes;
    auto name = clip.extension().substr(1);
    result.own =
        result.judge(comparison.equal(), comparison.equal() ? name : name + ": " + comparison.difference);
    if (clip.fits_mp4) {
      auto fragmented = file_of(clip, ".fragmented.mp4");
      GOPLINE_TRY(put_together(clip, fragmented, "fmp4"));
      GOPLINE_ASSIGN(auto same, compare_packets(clip.path.string(), fragmented));
      result.fmp4 = result.judge(same.equal(), same.equal() ? "fmp4" : "fmp4: " + same.difference);
    }
    if (ffmpeg_) {
      GOPLINE_ASSIGN(bool agrees, ffmpeg_agrees(clip, own));
      result.ffmpeg = result.judge(agrees, agrees ? "agrees" : "differs");
    }
    GOPLINE_ASSIGN(auto state, state_of(clip));
    GOPLINE_ASSIGN(auto verified, verify_stream(opened_, state, environment_.clock, blobs_, environment_.stop,
                                                [](std::uint64_t, double) {}));
    result.verified = result.judge(verified.is_whole(), verified.is_whole() ? "whole" : "not whole");
    return result;
  }

  // The source remuxed by ffmpeg alone, and our file, must be one to ffmpeg: payload, order and times of
  // every packet.
  Result<bool> ffmpeg_agrees(const DemoClip& clip, const std::string& own) {
    auto remux = file_of(clip, ".ffmpeg" + clip.extension());
    auto theirs = file_of(clip, ".theirs.txt"), ours = file_of(clip, ".ours.txt");
    GOPLINE_TRY(run_program(
        {*ffmpeg_, "-v", "error", "-y", "-i", clip.path.string(), "-map", "0", "-c", "copy", remux}));
    auto hash = [&](const std::string& input, const std::string& output) {
      return run_program(
          {*ffmpeg_, "-v", "error", "-i", input, "-map", "0", "-c", "copy", "-f", "framehash", "-"}, output);
    };
    GOPLINE_TRY(hash(remux, theirs));
    GOPLINE_TRY(hash(own, ours));
    GOPLINE_ASSIGN(auto comparison, same_text(theirs, ours));
    return comparison;
  }

  Result<aggregator::AggregateReport> put_together(const DemoClip& clip, const std::string& output,
                                                   const std::string& format) {
    aggregator::AggregateOptions aggregate;
    GOPLINE_ASSIGN(aggregate.selection.topic_namespace, namespace_of(log_options_));
    aggregate.selection.stream = clip.stream;
    aggregate.selection.epochs = aggregator::EpochSelection::one(epochs_[clip.stream]);
    aggregate.output = output;
    aggregate.format = format;
    return aggregator::aggregate(*opened_.log, aggregate, {}, environment_.stop);
  }

  std::string file_of(const DemoClip& clip, const std::string& ending) const {
    return (folder_.path() / (clip.path.stem().string() + ending)).string();
  }

  int finish() {
    Table table({{"CLIP"},
                 {"WHAT"},
                 {"SEGMENTS", Align::kRight},
                 {"PACKETS", Align::kRight},
                 {"IDENTICAL AS"},
                 {""},
                 {"FFMPEG"},
                 {"VERIFY"}});
    bool good = true;
    std::int64_t packets = 0;
    for (std::size_t i = 0; i < clips_.size(); ++i) {
      const auto& result = results_[i];
      table.add_row({clips_[i].file, clips_[i].what, show_count(result.segments), show_count(result.packets),
                     result.own, result.fmp4.empty() ? "-" : result.fmp4,
                     result.ffmpeg.empty() ? "-" : result.ffmpeg, result.verified});
      good = good && result.good;
      packets += result.packets;
    }
    print_result(table.to_string());
    print_result(
        good ? fmt::format("\nAll {} packets, {} of video and sound, came back exactly as they went in.\n",
                           show_count(packets), format_bytes(bytes_))
             : "\nNot everything came back as it went in: see the rows with ✗.\n");
    if (!ffmpeg_) print_result("ffmpeg is not installed; with it, the demo lets it judge as well.\n");
    if (!options_.keep.empty())
      print_result(fmt::format("The log and the videos are in {}.\n", options_.keep));
    return good ? kWhole : kNotWhole;
  }

  const DemoOptions& options_;
  const Environment& environment_;
  DemoFolder folder_;
  std::vector<DemoClip> clips_;
  LogOptions log_options_;
  OpenedLog opened_;
  BlobStores blobs_{{}};
  std::map<std::string, EpochNumber> epochs_;
  std::optional<std::string> ffmpeg_;
  std::vector<ClipResult> results_;
  std::uint64_t bytes_ = 0;
};

Result<int> run(const DemoOptions& options, const Environment& environment) {
  GOPLINE_ASSIGN(auto media, find_media(options.media));
  GOPLINE_ASSIGN(auto clips, demo_clips(media));
  GOPLINE_ASSIGN(auto folder, DemoFolder::make(options.keep));
  return Demo(options, environment, std::move(folder), std::move(clips)).run();
}

}  // namespace

void add_demo_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<DemoOptions>();
  auto* command =
      root.add_subcommand("demo", "Show all of it on sample clips: split, look, put together, prove");
  command->add_option("--log", options->log, "Use this log, and leave it there. Default: a temporary one")
      ->type_name("URL");
  command->add_option("--media", options->media, "The folder with the sample clips")->type_name("DIR");
  command->add_option("--keep", options->keep, "Keep everything in this folder")->type_name("DIR");
  add_verbosity_options(*command, options->output);
  add_footer(*command, kDemoExamples);
  command->callback([options, &chosen] {
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
