#pragma once
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "analyzer/analyzer.h"

namespace gopline::analyzer {

// What one stage of several holds open, under names that no other stage gives.
//
// A stage that is not shown pictures any more knows nothing of it, and says nothing: end_all() ends its
// events for it. What it says later of those it believes open begins them anew, as does what it says of one
// whose start came too late to be told. Pure; not thread-safe.
class StageBook {
 public:
  // `number` of `stages`, from 0.
  StageBook(std::int64_t number, std::int64_t stages) : next_(number), step_(stages) {}

  // What the stage says at a picture; what is to be told of it.
  std::vector<Finding> take(std::vector<Finding> said);
  // The same of what it says too late: only what ends.
  std::vector<Finding> take_late(std::vector<Finding> said);
  std::vector<Finding> end_all();

  const std::map<std::int64_t, Finding>& open() const { return open_; }  // the newest word of each

 private:
  std::int64_t next_, step_;
  std::map<std::int64_t, Finding> open_;  // by the stage's own names
};

}  // namespace gopline::analyzer
