#include "bench/segments/phases.h"

#include <algorithm>
#include <mutex>
#include <random>
#include <thread>

#include "bench/segments/meter.h"

namespace gopline::bench {
namespace {

constexpr std::int64_t kFewestPayloads = 3;  // of each stream, however large
constexpr auto kLook = std::chrono::milliseconds(1);
constexpr auto kStopLook = std::chrono::milliseconds(50);
constexpr auto kPollWait = std::chrono::milliseconds(100);
constexpr auto kPatience = std::chrono::seconds(60);  // for the next payload

using Writers = std::vector<std::unique_ptr<WriteSide>>;

std::uint64_t random_run() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

// The first failure of several threads, and the stop of the rest.
class Outcome {
 public:
  explicit Outcome(const StopToken& parent) : forward_(parent, Forward{stop_}) {}
  void fail_with(Error error) {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    stop_.request_stop();
  }
  StopToken stop() const { return stop_.get_token(); }
  Result<void> result() const {
    std::lock_guard lock(mutex_);
    if (error_) return tl::unexpected<Error>(*error_);
    if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
    return {};
  }

 private:
  struct Forward {
    StopSource& stop;
    void operator()() const { stop.request_stop(); }
  };
  mutable std::mutex mutex_;
  std::optional<Error> error_;
  StopSource stop_;
  std::stop_callback<Forward> forward_;
};

Result<Writers> open_writers(Path& path, std::int32_t streams, std::uint64_t run) {
  Writers writers;
  for (std::int32_t i = 0; i < streams; ++i) {
    GOPLINE_ASSIGN(auto writer, path.open_writer(i, run));
    writers.push_back(std::move(writer));
  }
  return writers;
}

Result<void> finish(Writers& writers) {
  for (auto& writer : writers) GOPLINE_TRY(writer->finish());
  return {};
}

// One phase of writers and, beside or after them, a reader.
class Phase {
 public:
  Phase(const Clock& clock, const PhaseOptions& options)
      : clock_(clock), options_(options), outcome_(options.stop) {}

  void begin() {
    memory_.reset();
    cpu_ = process_cpu_seconds();
    began_ = clock_.steady_now();
  }
  SteadyTime began() const { return began_; }
  Outcome& outcome() { return outcome_; }

  Flow flow_until(SteadyTime end, std::int64_t payloads, std::uint64_t bytes) const {
    return {payloads, bytes, seconds_between(began_, end), process_cpu_seconds() - cpu_, memory_.bytes()};
  }

  // Every writer on its thread until time or bytes are up; returns when everything is acknowledged.
  Result<std::vector<std::int64_t>> write_all(Writers& writers) {
    auto least = kFewestPayloads;
    auto most = std::max<std::int64_t>(
        least, static_cast<std::int64_t>(options_.most_bytes / writers.size() / options_.payload_bytes));
    std::vector<std::int64_t> sent(writers.size());
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < writers.size(); ++i) {
        threads.emplace_back([&, i] {
          auto until = began_ + options_.duration;
          for (std::int64_t n = 0; n < most && (n < least || clock_.steady_now() < until); ++n) {
            if (auto done = writers[i]->send(outcome_.stop()); !done) {
              return outcome_.fail_with(std::move(done.error()));
            }
            ++sent[i];
            if (options_.on_bytes) options_.on_bytes(options_.payload_bytes);
          }
        });
      }
    }
    GOPLINE_TRY(outcome_.result());
    GOPLINE_TRY(await_acknowledged(writers, sent));
    return sent;
  }

  Result<void> await_acknowledged(const Writers& writers, const std::vector<std::int64_t>& sent) {
    for (std::size_t i = 0; i < writers.size(); ++i) {
      for (auto until = clock_.steady_now() + kPatience;;) {
        GOPLINE_TRY(outcome_.result());
        GOPLINE_ASSIGN(auto count, writers[i]->acknowledged());
        if (count >= sent[i]) break;
        if (clock_.steady_now() > until) {
          return fail(ErrorCode::kUnavailable, "{} of {} payloads are not acknowledged", sent[i] - count,
                      sent[i]);
        }
        std::this_thread::sleep_for(kLook);
      }
    }
    return {};
  }

  // Reads until `expected` (which may still grow until `all_sent`) have come; each is handed to `take`.
  Result<void> read_all(ReadSide& reader, const std::function<std::optional<std::int64_t>()>& expected,
                        const std::function<void(const Arrival&)>& take) {
    std::int64_t got = 0;
    for (auto until = clock_.steady_now() + kPatience;;) {
      auto wanted = expected();
      if (wanted && got >= *wanted) return {};
      GOPLINE_TRY(outcome_.result());
      if (clock_.steady_now() > until) {
        return fail(ErrorCode::kUnavailable, "payload {} has not come within {} s", got + 1,
                    std::chrono::duration_cast<std::chrono::seconds>(kPatience).count());
      }
      GOPLINE_ASSIGN(auto arrivals, reader.poll(kPollWait));
      for (const auto& arrival : arrivals) take(arrival);
      got += static_cast<std::int64_t>(arrivals.size());
      if (!arrivals.empty()) until = clock_.steady_now() + kPatience;
    }
  }

 private:
  const Clock& clock_;
  const PhaseOptions& options_;
  Outcome outcome_;
  PeakMemory memory_;
  double cpu_ = 0;
  SteadyTime began_{};
};

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  std::int64_t total = 0;
  for (auto count : counts) total += count;
  return total;
}

// What has come so far.
struct Received {
  std::int64_t payloads = 0;
  std::uint64_t bytes = 0;
  SteadyTime last{};
  void add(const Arrival& arrival) {
    ++payloads;
    bytes += arrival.bytes;
    last = arrival.when;
  }
};

Result<Flow> write_alone(Path& path, const Clock& clock, const PhaseOptions& options, std::uint64_t run) {
  GOPLINE_ASSIGN(auto writers, open_writers(path, options.streams, run));
  Phase phase(clock, options);
  phase.begin();
  GOPLINE_ASSIGN(auto sent, phase.write_all(writers));
  auto flow = phase.flow_until(clock.steady_now(), sum(sent), 0);
  GOPLINE_TRY(finish(writers));
  return flow;
}

Result<Flow> read_alone(Path& path, const Clock& clock, const PhaseOptions& options, std::uint64_t run,
                        std::int64_t payloads) {
  Phase phase(clock, options);
  phase.begin();
  GOPLINE_ASSIGN(auto reader, path.open_reader(Path::From::kBeginning, run));
  Received received;
  GOPLINE_TRY(phase.read_all(
      *reader, [&] { return std::optional(payloads); }, [&](const Arrival& a) { received.add(a); }));
  return phase.flow_until(received.last, received.payloads, received.bytes);
}

Result<Flow> write_and_read(Path& path, const Clock& clock, const PhaseOptions& options, std::uint64_t run) {
  GOPLINE_ASSIGN(auto reader, path.open_reader(Path::From::kEnd, run));
  GOPLINE_ASSIGN(auto writers, open_writers(path, options.streams, run));
  Phase phase(clock, options);
  std::atomic<std::int64_t> all_sent = -1;
  Received received;
  phase.begin();
  {
    std::jthread reading([&] {
      auto expected = [&] { return all_sent < 0 ? std::nullopt : std::optional(all_sent.load()); };
      auto read = phase.read_all(*reader, expected, [&](const Arrival& a) { received.add(a); });
      if (!read) phase.outcome().fail_with(std::move(read.error()));
    });
    auto sent = phase.write_all(writers);
    if (sent) {
      all_sent = sum(*sent);
    } else {
      phase.outcome().fail_with(std::move(sent.error()));
    }
  }
  GOPLINE_TRY(phase.outcome().result());
  auto flow = phase.flow_until(received.last, received.payloads, received.bytes);
  GOPLINE_TRY(finish(writers));
  return flow;
}

// Sends every n-th payload of the schedule, when it is due or as soon after as it can be.
void send_on_time(WriteSide& writer, const Clock& clock, SteadyTime began, double rate, std::int64_t first,
                  std::int64_t step, std::int64_t count, const PhaseOptions& options, Outcome& outcome) {
  auto stop = outcome.stop();
  for (auto i = first; i < count; i += step) {
    auto due = began + std::chrono::duration_cast<SteadyTime::duration>(
                           std::chrono::duration<double>(static_cast<double>(i) / rate));
    for (auto now = clock.steady_now(); now < due && !stop.stop_requested(); now = clock.steady_now()) {
      std::this_thread::sleep_until(std::min(due, now + kStopLook));
    }
    if (auto sent = writer.send(stop); !sent) return outcome.fail_with(std::move(sent.error()));
    if (options.on_bytes) options.on_bytes(options.payload_bytes);
  }
}

}  // namespace

Result<Throughput> measure_throughput(Path& path, const Clock& clock, const PhaseOptions& options) {
  Throughput out;
  auto run = random_run();
  GOPLINE_ASSIGN(out.write, write_alone(path, clock, options, run));
  GOPLINE_ASSIGN(out.read, read_alone(path, clock, options, run, out.write.payloads));
  out.write.bytes = out.read.bytes;
  GOPLINE_ASSIGN(out.passing, write_and_read(path, clock, options, random_run()));
  return out;
}

Result<Latency> measure_latency(Path& path, const Clock& clock, const PhaseOptions& options, double rate) {
  auto run = random_run();
  GOPLINE_ASSIGN(auto reader, path.open_reader(Path::From::kEnd, run));
  GOPLINE_ASSIGN(auto writers, open_writers(path, options.streams, run));
  auto seconds = std::chrono::duration<double>(options.duration).count();
  auto most =
      static_cast<std::int64_t>(std::max<std::uint64_t>(1, options.most_bytes / options.payload_bytes));
  auto count = std::clamp<std::int64_t>(static_cast<std::int64_t>(seconds * rate), 1, most);
  count = std::max<std::int64_t>(count, kFewestPayloads * options.streams);
  Latency out;
  out.rate = rate;
  Phase phase(clock, options);
  phase.begin();
  auto began = phase.began() + std::chrono::milliseconds(50);  // time to get everything running
  {
    std::vector<std::jthread> threads;
    for (std::int32_t i = 0; i < options.streams; ++i) {
      threads.emplace_back([&, i] {
        send_on_time(*writers[static_cast<std::size_t>(i)], clock, began, rate, i, options.streams, count,
                     options, phase.outcome());
      });
    }
    auto take = [&](const Arrival& arrival) {
      auto number = arrival.sequence * options.streams + arrival.stream;
      auto due = static_cast<double>(number) / rate;
      out.milliseconds.push_back(1000 * (seconds_between(began, arrival.when) - due));
    };
    auto read = phase.read_all(
        *reader, [&] { return std::optional(count); }, take);
    if (!read) phase.outcome().fail_with(std::move(read.error()));
  }
  GOPLINE_TRY(phase.outcome().result());
  GOPLINE_TRY(finish(writers));
  return out;
}

}  // namespace gopline::bench
