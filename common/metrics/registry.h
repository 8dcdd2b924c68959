#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

// What a process counts, for Prometheus. A family is a name with a help text; a series is a family with
// values for its labels. Names are constants of the code: `gopline_` first, the base unit last (_seconds,
// _bytes), and _total behind that for what only grows. A name that Prometheus does not allow is a bug and
// ends the program.
namespace gopline::metrics {

using Labels = std::map<std::string, std::string>;

// Handles to one series each. Whoever asks a family for the same labels gets the same series; it leaves the
// output together with its last handle. A handle that is made from nothing counts nothing, so that code may
// count without asking whether anybody looks. Handles may outlive the registry. Updates are thread-safe and
// take no lock that other series share.
class Counter {
 public:
  Counter() = default;
  void add(double by = 1) const;  // below 0: ignored

 private:
  template <typename Metric>
  friend class Family;
  std::shared_ptr<prometheus::Counter> series_;
};

class Gauge {
 public:
  Gauge() = default;
  void set(double value) const;
  void set(Duration value) const;  // in seconds
  void add(double by) const;

 private:
  template <typename Metric>
  friend class Family;
  std::shared_ptr<prometheus::Gauge> series_;
};

class Histogram {
 public:
  Histogram() = default;
  void observe(double value) const;
  // In seconds. Below 0 counts as 0: two clocks may disagree, and a sum that falls looks like a restart.
  void observe(Duration value) const;

 private:
  template <typename Metric>
  friend class Family;
  std::shared_ptr<prometheus::Histogram> series_;
};

// Upper bounds for delays, in seconds: 1 ms to 60 s.
std::vector<double> delay_buckets();

// Copies are the same family. Thread-safe.
template <typename Metric>
class Family {
 public:
  // All series of a family have the same label names.
  Metric with(const Labels& labels) const;

 private:
  friend class Registry;
  struct State;
  explicit Family(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// All families of one process, or of one test. Thread-safe.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // A name is given out once in a registry.
  Family<Counter> counters(const std::string& name, const std::string& help) noexcept;
  Family<Gauge> gauges(const std::string& name, const std::string& help) noexcept;
  // `buckets`: upper bounds, rising; "infinite" comes by itself.
  Family<Histogram> histograms(const std::string& name, const std::string& help,
                               std::vector<double> buckets) noexcept;

  // Every series there is, in Prometheus' text format 0.0.4. A family without series is left out.
  std::string to_text() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gopline::metrics
