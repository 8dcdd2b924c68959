#include "bench/segments/runner.h"

#include <algorithm>
#include <cmath>

#include "bench/segments/gopline_path.h"
#include "bench/segments/latency_samples.h"
#include "bench/segments/phases.h"
#include "common/base/text.h"
#include "common/base/uuid.h"

namespace gopline::bench {
namespace {

constexpr std::uint64_t kRecordFrame = 2048;        // key, headers and what frames them: generously
constexpr std::uint64_t kVideoMemory = 96'000'000;  // of segments cut beforehand
constexpr std::uint64_t kWarmUpBytes = 1'000'000;
constexpr std::size_t kWantedSamples = 100;  // of latency over all repetitions: enough for a p99
constexpr double kLongestStretch = 4;        // of the latency's duration, to get them

double per_second(double amount, double seconds) {
  return seconds > 0 ? amount / seconds : 0;
}

Repetition repetition_of(const Throughput& measured) {
  auto mega = [](const Flow& flow) { return static_cast<double>(flow.bytes) / 1e6; };
  auto count = [](const Flow& flow) { return static_cast<double>(flow.payloads); };
  auto cpu = [&](const Flow& flow) { return per_second(flow.cpu_seconds, mega(flow) / 1000); };
  const auto& [write, read, passing] = measured;
  Repetition out;
  out.write_mb_s = per_second(mega(write), write.seconds);
  out.write_per_s = per_second(count(write), write.seconds);
  out.read_mb_s = per_second(mega(read), read.seconds);
  out.read_per_s = per_second(count(read), read.seconds);
  out.through_mb_s = per_second(mega(passing), passing.seconds);
  out.through_per_s = per_second(count(passing), passing.seconds);
  out.write_cpu_s_gb = cpu(write);
  out.read_cpu_s_gb = cpu(read);
  out.write_peak_mb = static_cast<double>(write.peak_memory) / 1e6;
  out.read_peak_mb = static_cast<double>(read.peak_memory) / 1e6;
  out.payloads = write.payloads + read.payloads + passing.payloads;
  return out;
}

bool same_payloads(const Case& a, const Case& b) {
  return a.duration ? a.duration == b.duration : !b.duration && a.bytes == b.bytes;
}

class Runner {
 public:
  Runner(const Tools& tools, const std::vector<Case>& plan, Results results)
      : tools_(tools), name_("bench-" + random_uuid().substr(0, 8)) {
    run_.results = std::move(results);
    for (const auto& c : plan) run_.results.cases.push_back({c, {}, {}, {}, {}});
    latencies_.resize(plan.size());
    auto& settings = run_.results.settings;
    run_.results.environment.partitions = settings.streams;
    steps_ = 1.0 + 2.0 * static_cast<double>(plan.size()) * settings.repetitions;
    name_streams();
  }

  Run run() {
    if (auto done = measure(); !done) run_.error = std::move(done.error());
    run_.results.complete = !run_.error;
    return std::move(run_);
  }

 private:
  Result<void> measure() {
    GOPLINE_TRY(warm_up());
    for (int repetition = 0; repetition < settings().repetitions; ++repetition) {
      for (auto& c : cases()) GOPLINE_TRY(throughput(c, repetition));
      for (std::size_t i = 0; i < cases().size(); ++i) GOPLINE_TRY(latency(i, repetition));
    }
    return {};
  }

  const Settings& settings() const { return run_.results.settings; }
  std::vector<CaseResult>& cases() { return run_.results.cases; }

  // Ids whose keys fall into distinct partitions: one stream each.
  void name_streams() {
    auto count = settings().streams;
    for (std::int32_t partition = 0; partition < count; ++partition) {
      for (int i = 0;; ++i) {
        auto id = fmt::format("stream-{}-{}", partition, i);
        if (partition_for_key(id, count) != PartitionId(partition)) continue;
        streams_.push_back(std::move(id));
        break;
      }
    }
  }

  Result<std::unique_ptr<Workspace>> workspace(const Strategy& strategy) {
    auto kind = strategy.is_raw ? Workspace::Kind::kBareTopic : Workspace::Kind::kNamespace;
    return Workspace::make(tools_.places, fmt::format("{}-{}", name_, ++workspaces_), kind,
                           settings().streams);
  }

  std::unique_ptr<Path> path_of(const Strategy& strategy, const Workspace& workspace) {
    if (strategy.is_raw) {
      return tools_.raw->path(workspace.topic(), tools_.clock, payloads_, settings().streams);
    }
    GoplinePathOptions options;
    options.topic_namespace = workspace.name();
    options.partitions = settings().streams;
    options.streams = streams_;
    options.strategy = strategy;
    options.payloads = payloads_;
    options.blobs = tools_.places.blobs;
    options.stop = tools_.stop;
    return make_gopline_path(tools_.places.log, tools_.clock, std::move(options));
  }

  PhaseOptions phase_options() const {
    PhaseOptions options;
    options.streams = settings().streams;
    options.duration = settings().duration;
    options.most_bytes = settings().most_bytes;
    options.payload_bytes = payloads_->mean_bytes();
    options.stop = tools_.stop;
    options.on_bytes = tools_.watcher.on_bytes;
    return options;
  }

  void step(const std::string& what) { tools_.watcher.on_step(done_++ / steps_, what); }

  // A cold broker is several times slower: nothing of this is kept.
  Result<void> warm_up() {
    step("warm-up");
    payloads_ = PayloadSet::random(kWarmUpBytes);
    Strategy strategy{false, payload::Strategy::kAuto, 0};
    auto until = tools_.clock.steady_now() + settings().warm_up;
    do {
      GOPLINE_ASSIGN(auto place, workspace(strategy));
      run_.results.environment.record_bytes = place->record_bytes();
      auto path = path_of(strategy, *place);
      if (settings().warm_up <= Duration::zero()) break;
      auto options = phase_options();
      options.duration = std::min(options.duration, settings().warm_up / 3);
      GOPLINE_TRY(measure_throughput(*path, tools_.clock, options));
    } while (tools_.clock.steady_now() < until);
    payloads_.reset();
    return {};
  }

  Result<void> need_payloads(CaseResult& c) {
    if (payloads_ && payloads_of_ && same_payloads(*payloads_of_, c.measured)) {
      c.measured.bytes = payloads_->mean_bytes();
      return {};
    }
    payloads_.reset();
    if (c.measured.duration) {
      GOPLINE_ASSIGN(payloads_,
                     PayloadSet::video(settings().source, *c.measured.duration, kVideoMemory, tools_.stop));
    } else {
      payloads_ = PayloadSet::random(c.measured.bytes);
    }
    payloads_of_ = c.measured;
    c.measured.bytes = payloads_->mean_bytes();
    return {};
  }

  // Why a case cannot be; empty: it can.
  std::string obstacle(const Strategy& strategy) const {
    if (strategy.is_raw && !tools_.raw) return "the log is not Kafka";
    bool has_store = tools_.places.blobs != nullptr;
    if (strategy.ours == payload::Strategy::kClaim && !has_store) return "no place for blobs: --blobs";
    bool is_whole = strategy.is_raw || strategy.ours == payload::Strategy::kInline;
    auto most = run_.results.environment.record_bytes;
    if (is_whole && payloads_->largest_bytes() + kRecordFrame > most) {
      return fmt::format("one record takes {} here", show_size(most));
    }
    return {};
  }

  std::string choice_of(const Strategy& strategy) const {
    if (strategy.ours != payload::Strategy::kAuto) return {};
    payload::Limits limits;
    limits.record_bytes = run_.results.environment.record_bytes - kRecordFrame;
    limits.inline_bytes = tools_.places.log.comfortable_value_bytes();
    limits.has_store = tools_.places.blobs != nullptr;
    auto choice = payload::choose(payloads_->mean_bytes(), limits, {});
    if (!choice) return {};
    return fmt::format("{}: {}", payload::to_string(choice->strategy), choice->reason);
  }

  Result<void> throughput(CaseResult& c, int repetition) {
    step(title_of(c.measured));
    GOPLINE_TRY(need_payloads(c));
    if (repetition == 0) {
      c.chosen = choice_of(c.measured.strategy);
      c.absent = obstacle(c.measured.strategy);
      if (!c.absent.empty()) tools_.watcher.on_line(title_of(c.measured) + ": " + c.absent);
    }
    if (!c.absent.empty()) return {};
    GOPLINE_ASSIGN(auto place, workspace(c.measured.strategy));
    auto path = path_of(c.measured.strategy, *place);
    auto measured = measure_throughput(*path, tools_.clock, phase_options());
    if (!measured) return fail_with_context(title_of(c.measured), std::move(measured.error()));
    auto figures = repetition_of(*measured);
    c.repetitions.push_back(figures);
    tools_.watcher.on_line(
        fmt::format("{}: {:.0f} MB/s written, {:.0f} read, {:.0f} both at once; {:.2f} + {:.2f} CPU-s/GB",
                    title_of(c.measured), figures.write_mb_s, figures.read_mb_s, figures.through_mb_s,
                    figures.write_cpu_s_gb, figures.read_cpu_s_gb));
    return {};
  }

  // The same for all strategies at a size.
  double rate_for(const Case& measured) {
    if (settings().rate) return *settings().rate;
    double slowest = 0;
    for (const auto& c : cases()) {
      if (c.repetitions.empty() || !same_payloads(c.measured, measured)) continue;
      auto speed = c.spread(&Repetition::through_per_s)->median;
      slowest = slowest == 0 ? speed : std::min(slowest, speed);
    }
    return default_rate(measured.bytes, slowest);
  }

  Result<void> latency(std::size_t index, int repetition) {
    auto& c = cases()[index];
    step(title_of(c.measured) + ", latency");
    if (!c.absent.empty()) return {};
    GOPLINE_TRY(need_payloads(c));
    if (repetition == 0) c.latency.emplace().rate_per_s = rate_for(c.measured);
    auto rate = c.latency->rate_per_s;
    if (rate <= 0) return {};
    auto options = phase_options();
    auto wanted = std::ceil(static_cast<double>(kWantedSamples) / settings().repetitions);
    auto stretch = std::clamp(wanted / rate * 1e6 / static_cast<double>(settings().latency_duration.count()),
                              1.0, kLongestStretch);
    options.duration =
        Duration(std::llround(static_cast<double>(settings().latency_duration.count()) * stretch) + 1);
    GOPLINE_ASSIGN(auto place, workspace(c.measured.strategy));
    auto path = path_of(c.measured.strategy, *place);
    auto measured = measure_latency(*path, tools_.clock, options, rate);
    if (!measured) return fail_with_context(title_of(c.measured), std::move(measured.error()));
    add_latency(c, latencies_[index], *measured);
    return {};
  }

  void add_latency(CaseResult& c, LatencySamples& all, const Latency& measured) {
    all.add(measured.milliseconds);
    LatencySamples own;
    own.add(measured.milliseconds);
    auto& figures = *c.latency;
    figures.samples = all.count();
    figures.p50_ms = all.percentile(0.5);
    figures.p99_ms = all.percentile(0.99);
    figures.p999_ms = all.percentile(0.999);
    figures.worst_ms = all.worst();
    if (auto median = own.percentile(0.5)) figures.p50_of_each_ms.push_back(*median);
    tools_.watcher.on_line(fmt::format("{}: {:.1f} ms median at {:.3g}/s, worst {:.1f} ms",
                                       title_of(c.measured), own.percentile(0.5).value_or(0), measured.rate,
                                       own.worst().value_or(0)));
  }

  const Tools& tools_;
  std::string name_;
  Run run_;
  std::vector<std::string> streams_;
  std::vector<LatencySamples> latencies_;  // one for each case
  std::shared_ptr<const PayloadSet> payloads_;
  std::optional<Case> payloads_of_;
  int workspaces_ = 0;
  double steps_ = 1, done_ = 0;
};

}  // namespace

Run run_benchmark(const Tools& tools, const std::vector<Case>& plan, Results results) {
  return Runner(tools, plan, std::move(results)).run();
}

}  // namespace gopline::bench
