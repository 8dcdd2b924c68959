#include "analyzer/pipeline/gate.h"

#include <algorithm>

namespace gopline::analyzer {
namespace {

bool is_one_of(const std::string& word, const std::vector<std::string>& words) {
  return words.empty() || std::ranges::find(words, word) != words.end();
}

}  // namespace

bool Condition::is_met_by(const Finding& finding) const {
  bool scored = least_score <= 0 || (finding.score && *finding.score >= least_score);
  return scored && is_one_of(finding.class_name, classes) && is_one_of(finding.zone, zones);
}

bool is_any_met(const std::vector<Condition>& conditions, const Finding& finding) {
  return conditions.empty() ||
         std::ranges::any_of(conditions, [&](const Condition& one) { return one.is_met_by(finding); });
}

bool Gate::look(Timestamp time, bool is_met) {
  if (is_met) last_met_ = time;
  return is_met || (last_met_ && time - *last_met_ < hold_);
}

}  // namespace gopline::analyzer
