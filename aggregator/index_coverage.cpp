#include "aggregator/index_coverage.h"

#include <algorithm>
#include <utility>

namespace gopline::aggregator {

IndexCoverage::IndexCoverage(Offset from) : scope_(Scope::kEverything) {
  epochs_[EpochNumber(-1)] = {Offset(0), from, true};
}

void IndexCoverage::add(EpochNumber number, Offset begin, Offset end) {
  epochs_[number] = {begin, std::max(begin, end), false};
}

void IndexCoverage::add_hole(Offset begin, Offset end) {
  if (begin < end) holes_.emplace_back(begin, end);
}

void IndexCoverage::saw_end(EpochNumber number) {
  auto found = epochs_.find(number);
  if (found != epochs_.end() && !std::exchange(found->second.ended, true)) changed_ = true;
}

void IndexCoverage::saw(EpochNumber number, Offset at) {
  if (scope_ == Scope::kEverything && epochs_.try_emplace(number, Epoch{at, at, false}).second) {
    changed_ = true;
  }
}

bool IndexCoverage::is_unknown(Offset at) const {
  for (auto [begin, end] : holes_) {
    if (begin <= at && at < end) return true;
  }
  bool told = false;
  for (const auto& [number, epoch] : epochs_) {
    if (epoch.end <= at && !epoch.ended) return true;
    told = told || (epoch.begin <= at && at < epoch.end);
  }
  return !told && scope_ == Scope::kEverything;
}

// Where the answer may be another.
std::optional<Offset> IndexCoverage::next_border(Offset at) const {
  std::optional<Offset> border;
  auto take = [&](Offset offset) {
    if (offset > at) border = std::min(border.value_or(offset), offset);
  };
  for (auto [begin, end] : holes_) take(begin), take(end);
  for (const auto& [number, epoch] : epochs_) take(epoch.begin), take(epoch.end);
  return border;
}

std::optional<IndexCoverage::Range> IndexCoverage::next(Offset at) {
  changed_ = false;
  for (std::optional<Offset> begin = at; begin; begin = next_border(*begin)) {
    if (is_unknown(*begin)) return Range{*begin, next_border(*begin)};
  }
  return std::nullopt;
}

}  // namespace gopline::aggregator
