#include "analyzer/seer.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gopline::analyzer {
namespace {

class FollowingAnalyzer final : public Analyzer {
 public:
  FollowingAnalyzer(const PresenceOptions& options, std::unique_ptr<Seer> seer)
      : seer_(std::move(seer)), presence_(options) {}

  Result<void> take(const Frame& frame, FindingSink& sink) override {
    GOPLINE_ASSIGN(auto sightings, seer_->look(frame.picture));
    presence_.step(frame, std::move(sightings), sink);
    return {};
  }

  Result<void> finish(FindingSink& sink) override {
    presence_.finish(sink);
    return {};
  }

 private:
  std::unique_ptr<Seer> seer_;
  Presence presence_;
};

// Nothing is followed, and nothing has to be seen for a while.
class StillAnalyzer final : public Analyzer {
 public:
  StillAnalyzer(const PresenceOptions& options, std::unique_ptr<Seer> seer)
      : seer_(std::move(seer)), options_(options) {}

  Result<void> take(const Frame& frame, FindingSink& sink) override {
    GOPLINE_ASSIGN(auto sightings, seer_->look(frame.picture));
    std::int64_t object = 0;
    for (const auto& one : sightings) {
      Finding finding;
      finding.object = object++;
      finding.class_name = one.class_name;
      finding.score = one.score;
      finding.box = one.box;
      if (is_in_zone(one, finding.zone)) sink.tell(std::move(finding));
    }
    return {};
  }
  Result<void> finish(FindingSink&) override { return {}; }

 private:
  bool is_in_zone(const Sighting& one, std::string& zone) const {
    const auto& zones = options_.zones;
    Corner stands{one.box.x + one.box.width / 2, one.box.y + one.box.height};
    auto found = std::ranges::find_if(zones, [&](const Zone& each) { return contains(each, stands); });
    if (found == zones.end()) return zones.empty();
    zone = found->name;
    return true;
  }

  std::unique_ptr<Seer> seer_;
  const PresenceOptions& options_;
};

}  // namespace

std::unique_ptr<Analyzer> make_following_analyzer(const PresenceOptions& options,
                                                  std::unique_ptr<Seer> seer) {
  return std::make_unique<FollowingAnalyzer>(options, std::move(seer));
}

std::unique_ptr<Analyzer> make_still_analyzer(const PresenceOptions& options, std::unique_ptr<Seer> seer) {
  return std::make_unique<StillAnalyzer>(options, std::move(seer));
}

}  // namespace gopline::analyzer
