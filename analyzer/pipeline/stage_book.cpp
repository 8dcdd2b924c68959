#include "analyzer/pipeline/stage_book.h"

namespace gopline::analyzer {

using record::EventPhase;

std::vector<Finding> StageBook::take(std::vector<Finding> said) {
  std::vector<Finding> told;
  for (auto& finding : said) {
    auto own = finding.object;
    auto found = open_.find(own);
    bool is_open = found != open_.end();
    if (is_open == (finding.phase == EventPhase::kStart)) {
      if (finding.phase != EventPhase::kUpdate) continue;  // begun twice, or ended already
      finding.phase = EventPhase::kStart;
    }
    if (finding.phase == EventPhase::kStart) {
      finding.object = next_;
      next_ += step_;
      open_[own] = finding;
    } else {
      finding.object = found->second.object;
      if (finding.phase == EventPhase::kEnd) {
        open_.erase(found);
      } else {
        found->second = finding;
      }
    }
    told.push_back(std::move(finding));
  }
  return told;
}

std::vector<Finding> StageBook::take_late(std::vector<Finding> said) {
  std::erase_if(said, [](const Finding& one) { return one.phase != EventPhase::kEnd; });
  return take(std::move(said));
}

std::vector<Finding> StageBook::end_all() {
  std::vector<Finding> told;
  for (auto& [own, finding] : std::exchange(open_, {})) {
    finding.phase = EventPhase::kEnd;
    told.push_back(std::move(finding));
  }
  return told;
}

}  // namespace gopline::analyzer
