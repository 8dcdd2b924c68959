#include "analyzer/seer.h"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

// Sees the same everywhere.
class ConstantSeer final : public Seer {
 public:
  explicit ConstantSeer(std::vector<Sighting> sightings) : sightings_(std::move(sightings)) {}
  Result<std::vector<Sighting>> look(const media::Picture&) override { return sightings_; }

 private:
  const std::vector<Sighting> sightings_;
};

class BlindSeer final : public Seer {
 public:
  Result<std::vector<Sighting>> look(const media::Picture&) override {
    return fail(ErrorCode::kInternal, "it is dark");
  }
};

struct ToldFindings final : FindingSink {
  void tell(Finding finding) override { told.push_back(std::move(finding)); }
  std::vector<Finding> told;
};

const Sighting kPersonAtTheLeft{"person", 0.9, {0.1, 0.2, 0.1, 0.3}},
    kDogAtTheRight{"dog", 0.8, {0.7, 0.2, 0.1, 0.3}};

std::unique_ptr<Seer> sees_a_person_and_a_dog() {
  return std::make_unique<ConstantSeer>(std::vector{kPersonAtTheLeft, kDogAtTheRight});
}

std::vector<Zone> the_left_half() {
  return {{"left", {{0, 0}, {0.5, 0}, {0.5, 1}, {0, 1}}}};
}

TEST(StillAnalyzer, TellsAllThatIsSeen) {
  PresenceOptions options;
  auto analyzer = make_still_analyzer(options, sees_a_person_and_a_dog());
  ToldFindings sink;
  ASSERT_TRUE(analyzer->take({}, sink));
  ASSERT_EQ(sink.told.size(), 2U);
  EXPECT_EQ(sink.told[1].class_name, "dog");
  EXPECT_EQ(sink.told[1].box, kDogAtTheRight.box);
  EXPECT_NE(sink.told[0].object, sink.told[1].object);
}

TEST(StillAnalyzer, TellsWhoStandsInAZone) {
  PresenceOptions options;
  options.zones = the_left_half();
  auto analyzer = make_still_analyzer(options, sees_a_person_and_a_dog());
  ToldFindings sink;
  ASSERT_TRUE(analyzer->take({}, sink));
  ASSERT_EQ(sink.told.size(), 1U);
  EXPECT_EQ(sink.told[0].zone, "left");
  EXPECT_EQ(sink.told[0].class_name, "person");
}

TEST(FollowingAnalyzer, TellsWhoIsSeenForAWhile) {
  PresenceOptions options;
  options.zones = the_left_half();
  auto analyzer = make_following_analyzer(options, sees_a_person_and_a_dog());
  ToldFindings sink;
  Frame frame;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(analyzer->take(frame, sink));
    frame.time += std::chrono::milliseconds(200);
  }
  ASSERT_EQ(sink.told.size(), 1U) << "from the third picture on, and once";
  EXPECT_EQ(sink.told[0].phase, record::EventPhase::kStart);
  ASSERT_TRUE(analyzer->finish(sink));
  ASSERT_EQ(sink.told.size(), 2U);
  EXPECT_EQ(sink.told[1].phase, record::EventPhase::kEnd);
}

TEST(Seer, ItsErrorIsTheAnalyzers) {
  PresenceOptions options;
  ToldFindings sink;
  EXPECT_FALSE(make_still_analyzer(options, std::make_unique<BlindSeer>())->take({}, sink));
  EXPECT_FALSE(make_following_analyzer(options, std::make_unique<BlindSeer>())->take({}, sink));
}

}  // namespace
}  // namespace gopline::analyzer
