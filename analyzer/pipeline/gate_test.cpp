#include "analyzer/pipeline/gate.h"

#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::analyzer {
namespace {

using namespace std::chrono_literals;

Finding seen(const std::string& class_name, const std::string& zone, std::optional<double> score) {
  Finding finding;
  finding.class_name = class_name;
  finding.zone = zone;
  finding.score = score;
  return finding;
}

TEST(Condition, WhatIsNotSaidIsAny) {
  auto motion = seen("motion", "door", 0.25);
  EXPECT_TRUE(Condition{}.is_met_by(motion));
  EXPECT_TRUE((Condition{{"person", "motion"}, {"door"}, 0.25}.is_met_by(motion)));
  EXPECT_FALSE((Condition{{"person"}, {}, 0}.is_met_by(motion)));
  EXPECT_FALSE((Condition{{}, {"yard"}, 0}.is_met_by(motion)));
  EXPECT_FALSE((Condition{{}, {}, 0.26}.is_met_by(motion)));
  EXPECT_FALSE((Condition{{}, {}, 0.1}.is_met_by(seen("motion", "", std::nullopt))))
      << "nobody says how sure";
}

TEST(Condition, OneOfSeveralIsEnough) {
  std::vector<Condition> either{{{"person"}, {}, 0}, {{}, {"door"}, 0}};
  EXPECT_TRUE(is_any_met(either, seen("motion", "door", {})));
  EXPECT_TRUE(is_any_met(either, seen("person", "yard", {})));
  EXPECT_FALSE(is_any_met(either, seen("motion", "yard", {})));
  EXPECT_TRUE(is_any_met({}, seen("motion", "yard", {})));
}

TEST(Gate, IsOpenWhileAConditionIsMetAndForAWhileAfter) {
  Gate gate(2s);
  EXPECT_FALSE(gate.look(kNoon, false));
  EXPECT_TRUE(gate.look(kNoon + 1s, true));
  EXPECT_TRUE(gate.look(kNoon + 2s, true));
  EXPECT_TRUE(gate.look(kNoon + 3900ms, false));
  EXPECT_FALSE(gate.look(kNoon + 4s, false));
  EXPECT_TRUE(gate.look(kNoon + 9s, true)) << "and again";
}

TEST(Gate, WithoutAHoldItClosesAtOnce) {
  Gate gate(0s);
  EXPECT_TRUE(gate.look(kNoon, true));
  EXPECT_FALSE(gate.look(kNoon, false));
}

}  // namespace
}  // namespace gopline::analyzer
