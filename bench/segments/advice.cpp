#include "bench/segments/advice.h"

#include <algorithm>
#include <cmath>

#include "bench/segments/ways.h"
#include "common/base/text.h"

namespace gopline::bench {
namespace {

constexpr double kHeadroom = 2;       // what a cluster should be able to carry, over what it has to
constexpr double kGoodEnough = 0.85;  // of the best throughput: less is lost for nothing
constexpr double kPlenty = 4;         // times the load: more throughput is worth no delay
constexpr double kMuchLater = 2;      // what passes more may take this much longer
constexpr double kWideSpread = 0.3;   // between the least and the greatest, of the median
constexpr double kPeak = 2;           // of a segment over the mean: a scene that moves
constexpr std::uint64_t kSmallRecord = 100'000;
constexpr std::uint64_t kBrokerRequest = 100 << 20;  // Kafka's default of socket.request.max.bytes

std::string show(Duration duration) {
  return fmt::format("{:.3g}s", static_cast<double>(duration.count()) / 1e6);
}

std::string megabytes(double mb_s) {
  return fmt::format("{:.3g} MB/s", mb_s);
}

std::string milliseconds(double ms) {
  return ms < 10 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.0f} ms", ms);
}

// What a segment of one duration would cost, by the way that serves it best.
struct Candidate {
  Duration duration{};
  double bytes = 0;
  const Curve* way = nullptr;
  double through = 0, cpu = 0;
  std::optional<double> p99_ms;

  double delay_ms() const { return static_cast<double>(duration.count()) / 1000 + p99_ms.value_or(0); }
};

class Adviser {
 public:
  Adviser(const Results& results, const Goal& goal)
      : results_(results),
        goal_(goal),
        load_(goal.streams * goal.bits_per_second / 8e6),
        ways_(results, kPlenty * load_) {}

  Result<Advice> run() {
    if (ways_.all().empty()) {
      return fail(ErrorCode::kInvalidArgument,
                  "the results have no case with figures: `gopline bench segments` makes them");
    }
    choose_duration();
    duration();
    strategy();
    chunk_size();
    partitions();
    machines();
    properties();
    cautions();
    summary();
    return std::move(out_);
  }

 private:
  Candidate candidate(Duration duration) const {
    Candidate c;
    c.duration = duration;
    c.bytes = goal_.bits_per_second / 8 * static_cast<double>(duration.count()) / 1e6;
    c.way = &ways_.best_at(c.bytes);
    c.through = c.way->through.at(c.bytes);
    c.cpu = c.way->cpu_at(c.bytes);
    c.p99_ms = c.way->p99.empty() ? c.way->p50.maybe_at(c.bytes) : c.way->p99.maybe_at(c.bytes);
    return c;
  }

  bool is_in_time(const Candidate& c) const {
    return !goal_.latency || c.delay_ms() <= static_cast<double>(goal_.latency->count()) / 1000;
  }

  // The shortest that loses little: every second of a segment is a second of delay.
  void choose_duration() {
    std::vector<Candidate> unmeasured;
    for (int ms : {250, 500, 1000, 2000, 4000, 6000, 10'000}) {
      auto c = candidate(std::chrono::milliseconds(ms));
      (c.way->covers(c.bytes) ? candidates_ : unmeasured).push_back(c);
    }
    if (candidates_.empty()) candidates_ = std::move(unmeasured);  // cautions() says so
    double most = 0, least_cpu = HUGE_VAL;
    for (const auto& c : candidates_) {
      most = std::max(most, c.through);
      least_cpu = std::min(least_cpu, c.cpu);
    }
    auto is_good = [&](const Candidate& c) {
      return c.through >= std::min(kGoodEnough * most, kPlenty * load_) && c.cpu <= kCostly * least_cpu &&
             is_in_time(c);
    };
    auto carries = [&](const Candidate& c) { return c.through >= kHeadroom * load_ && is_in_time(c); };
    auto found = std::ranges::find_if(candidates_, is_good);
    if (found != candidates_.end()) {
      chosen_ = *found;
      return;
    }
    // Nothing is cheap and in time: the longest that is in time and carries the load, else the longest in
    // time.
    chosen_ = candidates_.front();
    for (const auto& c : candidates_) {
      if (is_in_time(c) && (carries(c) || !carries(chosen_))) chosen_ = c;
    }
  }

  void duration() {
    auto size = show_size(static_cast<std::uint64_t>(chosen_.bytes));
    auto reason = fmt::format(
        "{} of a {:.3g} Mbit/s stream are {}, at which {} pass through at {:.2f} CPU-s/GB",
        show(chosen_.duration), goal_.bits_per_second / 1e6, size, megabytes(chosen_.through), chosen_.cpu);
    const auto& shortest = candidates_.front();
    if (chosen_.duration != shortest.duration) {
      reason += fmt::format("; {} would be {} at {:.2f}", show(shortest.duration),
                            megabytes(shortest.through), shortest.cpu);
    }
    const auto& longest = candidates_.back();
    if (chosen_.duration != longest.duration) {
      auto gain = 100 * (longest.through / chosen_.through - 1);
      reason +=
          fmt::format("; {} would pass {:.0f} % {} and cost {} more delay", show(longest.duration),
                      std::abs(gain), gain < 0 ? "less" : "more", show(longest.duration - chosen_.duration));
    }
    if (goal_.latency && !is_in_time(chosen_)) {
      out_.cautions.push_back(fmt::format("{} cannot be met: the shortest segment already takes {:.0f} ms",
                                          show(*goal_.latency), chosen_.delay_ms()));
    }
    out_.points.push_back({"segment duration", show(chosen_.duration), reason + "."});
  }

  void strategy() {
    const auto& way = *chosen_.way;
    std::string others;
    for (const auto& curve : ways_.all()) {
      if (&curve == &way || !curve.covers(chosen_.bytes)) continue;
      others += fmt::format("{}{} {}", others.empty() ? "" : ", ", to_string(curve.strategy),
                            megabytes(curve.through.at(chosen_.bytes)));
      if (auto p50 = curve.p50.maybe_at(chosen_.bytes)) others += " and " + milliseconds(*p50);
    }
    auto reason = fmt::format("at {} it passes {}", show_size(static_cast<std::uint64_t>(chosen_.bytes)),
                              megabytes(chosen_.through));
    if (auto p50 = way.p50.maybe_at(chosen_.bytes)) reason += " with a median of " + milliseconds(*p50);
    if (!others.empty()) reason += "; the others: " + others;
    out_.points.push_back({"strategy", std::string(payload::to_string(way.strategy.ours)), reason + "."});
    inline_limit();
    claim_limit();
  }

  // Up to where one record is no worse than several, in throughput and in its median latency.
  void inline_limit() {
    const auto* whole = ways_.of(payload::Strategy::kInline, chosen_.bytes);
    if (!whole || !ways_.of(payload::Strategy::kChunk, chosen_.bytes)) return;
    std::string why;
    for (auto bytes : whole->sizes) {
      auto parts = ways_.chunked_at(bytes);
      auto one = whole->through.at(bytes);
      auto delay = whole->p50.maybe_at(bytes);
      bool later = delay && parts.p50 && *delay > (1 + kNoise) * *parts.p50 + 1;
      bool slower = one < (1 - 2 * kNoise) * parts.through;
      if (inline_bytes_ > 0 && parts.is_measured && (later || slower)) {
        auto size = show_size(static_cast<std::uint64_t>(bytes));
        why = later ? fmt::format("at {} one record takes {} and chunks {}", size, milliseconds(*delay),
                                  milliseconds(*parts.p50))
                    : fmt::format("at {} one record passes {} and chunks {}", size, megabytes(one),
                                  megabytes(parts.through));
        break;
      }
      inline_bytes_ = bytes;
    }
    if (inline_bytes_ <= 0) return;
    if (why.empty()) {
      why = "chunks were not better at any size up to it" +
            std::string(results_.environment.record_bytes < 2 * inline_bytes_ ? ", and a record takes no more"
                                                                              : "");
    }
    out_.points.push_back(
        {"one record up to", show_size(static_cast<std::uint64_t>(inline_bytes_)), why + "."});
  }

  // From where a claim check passes more than anything through the log, and is not much later.
  void claim_limit() {
    const auto* claim = ways_.of(payload::Strategy::kClaim, chosen_.bytes);
    if (!claim) return;
    for (auto bytes : claim->sizes) {
      double most = 0, soonest = HUGE_VAL;
      for (const auto& curve : ways_.all()) {
        if (&curve == claim || !curve.covers(bytes)) continue;
        most = std::max(most, curve.through.at(bytes));
        soonest = std::min(soonest, curve.p50.maybe_at(bytes).value_or(HUGE_VAL));
      }
      auto passed = claim->through.at(bytes);
      auto delay = claim->p50.maybe_at(bytes).value_or(0);
      if (passed < (1 + kNoise) * most || delay > kMuchLater * soonest) continue;
      claim_bytes_ = bytes;
      out_.points.push_back(
          {"beside the log from", show_size(static_cast<std::uint64_t>(bytes)),
           fmt::format("there a claim check passes {} in {}, and what goes through the log {}.",
                       megabytes(passed), milliseconds(delay), megabytes(most))});
      return;
    }
    out_.points.push_back({"beside the log", "not for speed",
                           "at no size that was measured did a claim check pass more than the log without "
                           "being much later; it keeps brokers' disks small."});
  }

  // By the median latency of the largest payloads, which is what chunks are for; by throughput where none
  // was measured.
  void chunk_size() {
    const Curve* best = nullptr;
    int variants = 0;
    std::string all;
    auto cost = [](const Curve& curve) {
      auto bytes = curve.sizes.back();
      return curve.p50.maybe_at(bytes).value_or(1e6 / std::max(1.0, curve.through.at(bytes)));
    };
    for (const auto& curve : ways_.all()) {
      if (curve.strategy.ours != payload::Strategy::kChunk) continue;
      ++variants;
      auto bytes = curve.sizes.back();
      all += fmt::format("{}{} {}", all.empty() ? "" : ", ", to_string(curve.strategy),
                         megabytes(curve.through.at(bytes)));
      if (auto p50 = curve.p50.maybe_at(bytes)) all += " and " + milliseconds(*p50);
      if (!best || cost(curve) < cost(*best)) best = &curve;
    }
    if (variants < 2) return;
    chunk_bytes_ = best->strategy.chunk_bytes;
    auto value =
        chunk_bytes_ > 0 ? to_string(best->strategy).substr(std::string_view("chunk@").size()) : "1MiB";
    out_.points.push_back(
        {"chunk size", value,
         fmt::format("at {}: {}.", show_size(static_cast<std::uint64_t>(best->sizes.back())), all)});
  }

  void partitions() {
    auto measured = std::max(1, results_.environment.partitions);
    auto each = chosen_.through / measured;
    auto for_load = static_cast<int>(std::ceil(kHeadroom * load_ / std::max(each, 0.001)));
    partitions_ = std::clamp(std::max(for_load, std::max(1, results_.environment.brokers)), 1,
                             std::max(1, goal_.streams));
    auto reason = fmt::format("{} streams are {}; {} partition{} passed {}", goal_.streams, megabytes(load_),
                              measured, measured == 1 ? "" : "s", megabytes(chosen_.through));
    reason += for_load > goal_.streams ? ", and a stream has one"
              : for_load == 1          ? ", so one carries it with as much to spare"
                                       : fmt::format(", so {} carry it with as much to spare", for_load);
    if (results_.environment.brokers > 1) {
      reason += fmt::format("; at least one for each of {} brokers", results_.environment.brokers);
    }
    out_.points.push_back({"partitions", std::to_string(partitions_), reason + "."});
    if (chosen_.through < kHeadroom * load_ * (measured < goal_.streams ? 0.5 : 1)) {
      out_.cautions.push_back(fmt::format("{} are to pass and {} did: this is too much for what was measured",
                                          megabytes(load_), megabytes(chosen_.through)));
    }
  }

  void machines() {
    auto cores = load_ / 1000 * chosen_.way->write_cpu.at(chosen_.bytes);
    auto reading = load_ / 1000 * chosen_.way->read_cpu.at(chosen_.bytes);
    out_.points.push_back({"clients' cores", fmt::format("{:.2g} + {:.2g}", cores, reading),
                           fmt::format("of this kind, to write and to read {} once (demuxing not counted).",
                                       megabytes(load_))});
  }

  void properties() {
    auto record = static_cast<std::uint64_t>(kPeak * chosen_.bytes);
    bool whole = chosen_.way->strategy.ours == payload::Strategy::kInline ||
                 chosen_.way->strategy.ours == payload::Strategy::kAuto;
    std::uint64_t limit = 16 << 20;
    while (whole && limit < record + (64 << 10) && limit < kBrokerRequest / 2) limit *= 2;
    auto text = std::to_string(limit);
    out_.client = {{"gopline.max.message.bytes", text}};
    if (chosen_.bytes < kSmallRecord && goal_.streams > 1) {
      out_.client.emplace_back("linger.ms", "5");
    }
    if (chosen_.bytes > 8e6) out_.client.emplace_back("fetch.message.max.bytes", text);
    out_.topic = {{"max.message.bytes", text},
                  {"compression.type", "producer"},
                  {"cleanup.policy", "delete"},
                  {"message.timestamp.type", "CreateTime"}};
    if (results_.environment.brokers >= 3) out_.topic.emplace_back("min.insync.replicas", "2");
    out_.broker = {{"message.max.bytes", text}, {"replica.fetch.max.bytes", text}};
    if (limit + (1 << 20) > kBrokerRequest) {
      out_.broker.emplace_back("socket.request.max.bytes", std::to_string(limit + (1 << 20)));
    }
    auto kind = chosen_.way->strategy.ours;
    // A scene that moves makes larger segments than the mean: what fits them is chosen for each.
    if (kind == payload::Strategy::kInline && inline_bytes_ > 0) kind = payload::Strategy::kAuto;
    out_.command =
        fmt::format("gopline split ... --log {} --segment-duration {} --payload {} --partitions {}",
                    results_.environment.log, show(chosen_.duration), payload::to_string(kind), partitions_);
    if (kind == payload::Strategy::kAuto && inline_bytes_ > 0) {
      auto most =
          std::min(static_cast<std::uint64_t>(inline_bytes_), limit);  // what is larger goes in chunks
      out_.command += fmt::format(" --inline-bytes {}", most);
    }
    // Not where it would take the segments that the cheapest way was chosen for.
    if (kind == payload::Strategy::kAuto && claim_bytes_ > kPeak * chosen_.bytes) {
      out_.command += fmt::format(" --blobs {} --claim-bytes {}", results_.environment.blobs,
                                  static_cast<std::uint64_t>(claim_bytes_));
    }
    if (chunk_bytes_ > 0) out_.command += fmt::format(" --chunk-bytes {}", chunk_bytes_);
  }

  void cautions() {
    double widest = 0;
    std::string where;
    for (const auto& c : results_.cases) {
      auto spread = c.spread(&Repetition::through_mb_s);
      if (!spread || spread->median <= 0) continue;
      auto width = (spread->high - spread->low) / spread->median;
      if (width > widest) widest = width, where = title_of(c.measured);
    }
    if (widest > kWideSpread) {
      out_.cautions.push_back(fmt::format(
          "the repetitions differ by up to {:.0f} % ({}): something else was running, or --duration is short",
          100 * widest, where));
    }
    if (results_.settings.repetitions < 3) {
      out_.cautions.push_back(
          "fewer than three repetitions: how much chance there is in the figures is not known");
    }
    if (results_.settings.warm_up <= Duration::zero()) {
      out_.cautions.push_back("no warm-up: brokers that have just started are several times slower");
    }
    if (!results_.complete)
      out_.cautions.push_back("the run was cut short: some cases have fewer repetitions");
    if (!chosen_.way->covers(chosen_.bytes)) {
      out_.cautions.push_back(fmt::format("{} lie outside the sizes that were measured ({} to {})",
                                          show_size(static_cast<std::uint64_t>(chosen_.bytes)),
                                          show_size(static_cast<std::uint64_t>(chosen_.way->sizes.front())),
                                          show_size(static_cast<std::uint64_t>(chosen_.way->sizes.back()))));
    }
  }

  void summary() {
    out_.summary =
        fmt::format("For {} streams of {:.3g} Mbit/s: segments of {}, {}, in {} partition{}.", goal_.streams,
                    goal_.bits_per_second / 1e6, show(chosen_.duration),
                    payload::to_string(chosen_.way->strategy.ours), partitions_, partitions_ == 1 ? "" : "s");
    if (chosen_.p99_ms) {
      out_.summary +=
          fmt::format(" A picture can be read {:.1f} s after it was taken.", chosen_.delay_ms() / 1000);
    }
  }

  const Results& results_;
  const Goal& goal_;
  const double load_;  // MB/s
  const Ways ways_;
  std::vector<Candidate> candidates_;
  Candidate chosen_;
  double inline_bytes_ = 0, claim_bytes_ = 0;
  std::uint64_t chunk_bytes_ = 0;
  int partitions_ = 1;
  Advice out_;
};

}  // namespace

Result<Advice> advise(const Results& results, const Goal& goal) {
  return Adviser(results, goal).run();
}

}  // namespace gopline::bench
