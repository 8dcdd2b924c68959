#include <gtest/gtest.h>

#include "common/record/event_type.h"
#include "common/record/stream_id.h"
#include "common/record/topics.h"
#include "common/record/vocabulary.h"

namespace gopline::record {
namespace {

Headers of_type(std::string type, std::string version = "1.0") {
  return {{"ce_specversion", std::move(version)}, {"ce_type", std::move(type)}};
}

TEST(EventType, KnowsEveryTypeByItsName) {
  for (auto type : {EventType::kSegment, EventType::kEpochStarted, EventType::kEpochEnded, EventType::kGap,
                    EventType::kIndex, EventType::kIndexHour, EventType::kStream, EventType::kDetection,
                    EventType::kFile, EventType::kDead}) {
    auto found = event_type_of(of_type(std::string(to_string(type))));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(*found, type);
  }
}

TEST(EventType, ANewerMajorVersionSaysWhatToUpgrade) {
  auto found = event_type_of(of_type("gopline.segment.v2"));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(found.error().message.find("upgrade gopline"), std::string::npos);
  EXPECT_FALSE(event_type_of(of_type("gopline.segment.v1", "2.0")).has_value());
}

TEST(EventType, ForeignAndFutureKindsAreUnknown) {
  for (const char* type :
       {"gopline.weather.v1", "gopline.weather.v9", "com.example.segment.v2", "gopline.segment", ""}) {
    EXPECT_EQ(event_type_of(of_type(type)).value(), EventType::kUnknown) << type;
  }
  EXPECT_EQ(event_type_of({}).value(), EventType::kUnknown);
}

TEST(StreamId, TakesAnyTextWithoutControls) {
  for (const char* id : {"lobby", "site-7/door-2", "T\xC3\xBCr 3", "\xE5\xA4\xA7\xE9\x96\x80", "%41", " "}) {
    EXPECT_TRUE(check_stream_id(id).has_value()) << id;
    EXPECT_EQ(stream_of_source(source_of_stream(id)).value(), id);
  }
  EXPECT_TRUE(check_stream_id(std::string(kMaxStreamIdBytes, 'x')).has_value());
}

TEST(StreamId, RefusesWhatNoKeyShouldBe) {
  for (std::string id :
       {std::string(), std::string(kMaxStreamIdBytes + 1, 'x'), std::string("a\nb"), std::string("a\0b", 3),
        std::string("\x7F"), std::string("\xC2\x85"), std::string("\xFF"), std::string("\xC2")}) {
    auto result = check_stream_id(id);
    ASSERT_FALSE(result.has_value()) << id;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(StreamId, SourceIsPercentEncoded) {
  EXPECT_EQ(source_of_stream("site-7/door-2"), "/gopline/site-7%2Fdoor-2");
  EXPECT_FALSE(stream_of_source("/other/lobby").has_value());
  EXPECT_FALSE(stream_of_source("/gopline/%4").has_value());
}

TEST(Topics, ArePrefixedByTheNamespace) {
  EXPECT_EQ(topics_of("site").segments, "site.segments");
  EXPECT_EQ(topics_of().dead, "gopline.dead");
  EXPECT_TRUE(check_namespace("a.b_c-9").has_value());
  for (std::string bad : {std::string(), std::string("a b"), std::string("a/b"), std::string(201, 'x')}) {
    EXPECT_FALSE(check_namespace(bad).has_value()) << bad;
  }
}

TEST(Vocabulary, WordsGoThereAndBack) {
  for (auto clock : {CaptureClock::kNtp, CaptureClock::kArrival, CaptureClock::kFile, CaptureClock::kGiven}) {
    EXPECT_EQ(capture_clock_from(to_string(clock)), clock);
  }
  for (auto cause :
       {EndCause::kEndOfInput, EndCause::kStopped, EndCause::kSourceLost, EndCause::kHandedOver}) {
    EXPECT_EQ(end_cause_from(to_string(cause)), cause);
  }
  for (auto cause : {GapCause::kSourceOutage, GapCause::kOverBudget, GapCause::kLost, GapCause::kCorrupt,
                     GapCause::kClock}) {
    EXPECT_EQ(gap_cause_from(to_string(cause)), cause);
  }
  EXPECT_EQ(end_cause_from("bored"), std::nullopt);
}

}  // namespace
}  // namespace gopline::record
