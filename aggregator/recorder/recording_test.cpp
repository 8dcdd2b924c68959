#include "aggregator/recorder/recording.h"

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gopline::aggregator {
namespace {

TEST(RecordingName, SaysTimeEpochAndSegmentAndSortsByTime) {
  auto from = *parse_rfc3339("2026-11-22T18:30:00.040999Z");
  EXPECT_EQ(recording_name(from, EpochNumber(17), 42), "2026-11-22T18-30-00.040Z_17-42");
  EXPECT_EQ(recording_name(from, EpochNumber(17), 42, true), "2026-11-22T18-30-00.040Z_17-42-gap");
}

TEST(RecordingName, IsKnownFromOthers) {
  EXPECT_TRUE(is_recording_name("2026-11-22T18-30-00.040Z_17-42"));
  EXPECT_TRUE(is_recording_name("2026-11-22T18-30-00.040Z_17-42-gap"));
  for (const auto* other :
       {"", "holiday", "2026-11-22T18-30-00.040Z", "2026-11-22T18-30-00.040Z_", "2026-11-22T18-30-00.040Z_17",
        "2026-11-22T18-30-00.040Z_17-", "2026-11-22T18-30-00.040Z_17-42-copy",
        "2026-13-22T18-30-00.040Z_17-42", "2026-11-22T18:30:00.040Z_17-42"}) {
    EXPECT_FALSE(is_recording_name(other)) << other;
  }
}

TEST(RecordingFolder, IsOneFolderWhateverTheStreamIsCalled) {
  EXPECT_EQ(recording_folder("lobby"), "lobby");
  EXPECT_EQ(recording_folder("site-7/door 2"), "site-7%2Fdoor%202");
  EXPECT_EQ(recording_folder(".."), "%2E.");
  EXPECT_EQ(recording_folder("."), "%2E");
  std::string a(300, 'a'), b = a + "b";
  EXPECT_LT(recording_folder(a).size(), 250u);
  EXPECT_NE(recording_folder(a), recording_folder(b));
}

TEST(RecordingJson, ComesBackAsFarAsARecorderNeedsIt) {
  Recording recording;
  recording.stream = "site-7/door-2";
  recording.file = "2026-11-22T18-30-00.040Z_17-42.mp4";
  recording.container = "mp4";
  recording.epoch = EpochNumber(17);
  recording.first_segment = 42;
  recording.next_segment = 342;
  recording.next_gap = 3;
  Absence gap;
  gap.epoch = EpochNumber(17);
  gap.cause = AbsenceCause::kSourceOutage;
  gap.from = *parse_rfc3339("2026-11-22T18:20:00Z");
  recording.gaps = {gap};
  auto json = to_json(recording);
  EXPECT_NE(json.find("\"cause\": \"source-outage\""), json.npos) << json;
  EXPECT_NE(json.find("2026-11-22T18:20:00.000000Z"), json.npos) << json;
  auto back = parse_recording(json);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->stream, recording.stream);
  EXPECT_EQ(back->file, recording.file);
  EXPECT_EQ(back->epoch, recording.epoch);
  EXPECT_EQ(back->first_segment, 42);
  EXPECT_EQ(back->next_segment, 342);
  EXPECT_EQ(back->next_gap, 3);
}

TEST(RecordingJson, OfSomethingElseIsRefused) {
  for (const auto* text : {"", "{}", "[]", "{\"format\":\"other\"}", "{\"format\":\"gopline.recording.v1\"}",
                           "{\"format\":\"gopline.recording.v1\",\"stream\":7,\"file\":null}"}) {
    EXPECT_FALSE(parse_recording(text)) << text;
  }
}

}  // namespace
}  // namespace gopline::aggregator
