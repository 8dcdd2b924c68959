#include "analyzer/presence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_time.h"

namespace gopline::analyzer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What is told, a line each: phase, class, zone, and when in tenths of a second; for moments their details.
class Told final : public FindingSink {
 public:
  void tell(Finding finding) override {
    if (finding.phase == record::EventPhase::kUpdate) return;
    bool is_moment = finding.class_name == "dwell" || finding.class_name == "crossing";
    if (is_moment && finding.phase == record::EventPhase::kEnd) return;
    lines.push_back(fmt::format("{} {} {} {}", tenths, is_moment ? "at once" : to_string(finding.phase),
                                finding.class_name, is_moment ? finding.details : finding.zone));
    tracks.push_back(finding.track);
  }
  int tenths = 0;
  std::vector<std::string> lines, tracks;
};

// A walker from the left to the right, five pictures a second: his feet are at x = 0.05 + 0.1 a second.
void walk(Presence& presence, Told& told, int from_tenths, int to_tenths) {
  for (int tenths = from_tenths; tenths <= to_tenths; tenths += 2) {
    Frame frame;
    frame.number = tenths;
    frame.time = kNoon + tenths * std::chrono::milliseconds(100);
    told.tenths = tenths;
    presence.step(frame, {{"person", 0.8, {0.01 * tenths, 0.3, 0.1, 0.2}}}, told);
  }
}

TEST(Presence, ObjectsEnterZonesAndLeaveThem) {
  PresenceOptions options;
  options.zones = {{"door", {{0.25, 0}, {0.55, 0}, {0.55, 1}, {0.25, 1}}}};
  Presence presence(options);
  Told told;
  walk(presence, told, 0, 90);
  EXPECT_THAT(told.lines, ElementsAre("20 start person door", "50 end person door"));
  EXPECT_EQ(told.tracks[0], told.tracks[1]);
  presence.finish(told);
  EXPECT_EQ(told.lines.size(), 2U);
}

TEST(Presence, WhoIsGoneHasLeft) {
  PresenceOptions options;
  options.zones = {{}};
  Presence presence(options);
  Told told;
  walk(presence, told, 0, 30);
  for (int tenths = 32; tenths < 60; tenths += 2) {
    Frame frame;
    frame.time = kNoon + tenths * std::chrono::milliseconds(100);
    told.tenths = tenths;
    presence.step(frame, {}, told);
  }
  EXPECT_THAT(told.lines, ElementsAre("4 start person ", "40 end person "));
}

TEST(Presence, LinesAreCrossedInADirection) {
  PresenceOptions options;
  options.zones = {{"nowhere", {{0, 0}, {0.1, 0}, {0, 0.1}}}};
  options.lines = {{"gate", {0.501, 0.9}, {0.501, 0.1}}};
  Presence presence(options);
  Told told;
  walk(presence, told, 0, 90);
  EXPECT_THAT(told.lines,
              ElementsAre(R"(46 at once crossing {"class":"person","line":"gate","direction":"right"})"));
}

TEST(Presence, WhoStaysIsToldOnce) {
  PresenceOptions options;
  options.zones = {{}};
  options.dwell = std::chrono::seconds(3);
  Presence presence(options);
  Told told;
  walk(presence, told, 0, 80);
  EXPECT_THAT(told.lines,
              ElementsAre("4 start person ", R"(30 at once dwell {"class":"person","seconds":3.0})"));
}

TEST(Presence, WhoBeginsWithAMultipleOfTheMostTellsTheSame) {
  PresenceOptions options;
  options.zones = {{}};
  options.most = std::chrono::seconds(5);
  Told all, later;
  Presence first(options), second(options);
  walk(first, all, 0, 90);
  walk(second, later, 50, 90);
  EXPECT_THAT(all.lines, ElementsAre("4 start person ", "50 end person ", "54 start person "));
  EXPECT_THAT(later.lines, ElementsAre("54 start person "));
  EXPECT_EQ(all.tracks.back(), later.tracks.back());
}

}  // namespace
}  // namespace gopline::analyzer
