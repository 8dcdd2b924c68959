#include "common/metrics/registry.h"

#include <algorithm>
#include <mutex>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace gopline::metrics {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Each kind of handle and what the library calls its series.
template <typename Metric>
struct SeriesOf;
template <>
struct SeriesOf<Counter> {
  using Type = prometheus::Counter;
};
template <>
struct SeriesOf<Gauge> {
  using Type = prometheus::Gauge;
};
template <>
struct SeriesOf<Histogram> {
  using Type = prometheus::Histogram;
};

}  // namespace

void Counter::add(double by) const {
  if (series_) series_->Increment(by);
}

void Gauge::set(double value) const {
  if (series_) series_->Set(value);
}

void Gauge::set(Duration value) const {
  set(seconds(value));
}

void Gauge::add(double by) const {
  if (series_) series_->Increment(by);
}

void Histogram::observe(double value) const {
  if (series_) series_->Observe(value);
}

void Histogram::observe(Duration value) const {
  observe(std::max(0.0, seconds(value)));
}

std::vector<double> delay_buckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

// The library hands out references that a removal leaves dangling, and the same one to all who ask for the
// same labels. So handles are counted, and asking and removing exclude each other.
template <typename Metric>
struct Family<Metric>::State {
  using Series = typename SeriesOf<Metric>::Type;

  State(std::shared_ptr<void> owner, prometheus::Family<Series>& registered, std::vector<double> bounds = {})
      : registry(std::move(owner)), family(registered), buckets(std::move(bounds)) {}

  Series& take(const Labels& labels) {
    std::lock_guard lock(mutex);
    auto& series = add(labels);
    ++handles[&series];
    return series;
  }
  void give_back(Series* series) {
    std::lock_guard lock(mutex);
    if (--handles[series] > 0) return;
    handles.erase(series);
    family.Remove(series);
  }

  const std::shared_ptr<void> registry;  // owns `family`
  prometheus::Family<Series>& family;
  const std::vector<double> buckets;
  std::mutex mutex;
  std::unordered_map<Series*, int> handles;

 private:
  Series& add(const Labels& labels) {
    if constexpr (std::is_same_v<Metric, Histogram>) {
      return family.Add(labels, buckets);
    } else {
      return family.Add(labels);
    }
  }
};

template <typename Metric>
Metric Family<Metric>::with(const Labels& labels) const {
  Metric metric;
  metric.series_ = {&state_->take(labels), [state = state_](auto* series) { state->give_back(series); }};
  return metric;
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

struct Registry::State {
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Throw};
};

Registry::Registry() : state_(std::make_shared<State>()) {}
Registry::~Registry() = default;

// noexcept: what these throw at is a name in our own code.
Family<Counter> Registry::counters(const std::string& name, const std::string& help) noexcept {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
  return Family<Counter>(std::make_shared<Family<Counter>::State>(state_, family));
}

Family<Gauge> Registry::gauges(const std::string& name, const std::string& help) noexcept {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
  return Family<Gauge>(std::make_shared<Family<Gauge>::State>(state_, family));
}

Family<Histogram> Registry::histograms(const std::string& name, const std::string& help,
                                       std::vector<double> buckets) noexcept {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
  return Family<Histogram>(std::make_shared<Family<Histogram>::State>(state_, family, std::move(buckets)));
}

std::string Registry::to_text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace gopline::metrics
