#pragma once
#include <optional>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "common/base/clock.h"

namespace gopline::analyzer {

// What has to be found. Nothing said of a member: any.
struct Condition {
  std::vector<std::string> classes, zones;
  double least_score = 0;  // above 0: what has no score does not meet it
  bool is_met_by(const Finding& finding) const;
};
bool is_any_met(const std::vector<Condition>& conditions, const Finding& finding);  // none: by everything

// Whether a stage is to see a picture: while the stage that decides holds something open that meets a
// condition, and for `hold` after that. By the times of pictures alone. Pure.
class Gate {
 public:
  explicit Gate(Duration hold) : hold_(hold) {}

  // The next picture, and whether a condition is met at it.
  bool look(Timestamp time, bool is_met);

 private:
  Duration hold_;
  std::optional<Timestamp> last_met_;
};

}  // namespace gopline::analyzer
