#include "common/record/detection.h"

#include <gtest/gtest.h>

#include "common/base/headers.h"

namespace gopline::record {
namespace {

Detection detection() {
  Detection event;
  event.stream = "site-7/door";
  event.event = "17-3-5-motion.01234567-0";
  event.number = 1;
  event.phase = EventPhase::kUpdate;
  event.epoch = EpochNumber(17);
  event.segment = SegmentNumber(4);
  event.frame = 9;
  event.pts = {2048, 10240};
  event.time = Timestamp(std::chrono::seconds(1'795'348'800));
  event.started = event.time - std::chrono::seconds(2);
  event.class_name = "motion";
  event.score = 0.25;
  event.box = PictureBox{0.125, 0.25, 0.5, 0.75};
  event.zone = "gate";
  event.analyzer = {"motion", "1", "0123456789abcdef"};
  event.thumbnail = Thumbnail{"image/jpeg", Buffer::copy(std::string_view("\xff\xd8\xff", 3))};
  event.details = R"({"a":1})";
  return event;
}

TEST(Detection, ComesBackAsItWas) {
  auto encoded = encode(detection());
  EXPECT_EQ(encoded.key, "site-7/door");
  EXPECT_EQ(find_header(encoded.headers, "ce_type"), "gopline.detection.v1");
  EXPECT_EQ(find_header(encoded.headers, "ce_id"), "17-3-5-motion.01234567-0-1");
  EXPECT_EQ(find_header(encoded.headers, "ce_source"), "/gopline/site-7%2Fdoor");
  EXPECT_EQ(find_header(encoded.headers, "ce_phase"), "update");
  auto back = parse_detection(encoded.headers, encoded.value);
  ASSERT_TRUE(back) << back.error().message;
  auto wanted = detection();
  EXPECT_EQ(back->event, wanted.event);
  EXPECT_EQ(back->phase, wanted.phase);
  EXPECT_EQ(to_string(back->pts), "2048/10240");
  EXPECT_EQ(back->time, wanted.time);
  EXPECT_EQ(back->started, wanted.started);
  EXPECT_EQ(back->box, wanted.box);
  EXPECT_EQ(back->score, wanted.score);
  EXPECT_EQ(back->zone, wanted.zone);
  EXPECT_EQ(back->track, "");
  EXPECT_EQ(back->analyzer, wanted.analyzer);
  EXPECT_EQ(back->thumbnail->data, wanted.thumbnail->data);
  EXPECT_EQ(back->details, wanted.details);
  EXPECT_EQ(encode(*back).value, encoded.value);
}

TEST(Detection, WhatOthersKnowComesBackAsItWas) {
  auto enriched = detection();
  enriched.incomplete = {"plates", "faces"};
  enriched.enrichments = {
      {"sites", "0123456789abcdef", "stream", "site-7/door", R"({"site":"Basel","floor":2})"},
      {"doors", "3-17", "stream|zone", "site-7/door|gate", R"({"name":"main gate"})"}};
  auto encoded = encode(enriched);
  auto back = parse_detection(encoded.headers, encoded.value);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->incomplete, enriched.incomplete);
  EXPECT_EQ(back->enrichments, enriched.enrichments);
  EXPECT_EQ(encode(*back).value, encoded.value);
  EXPECT_EQ(encode(detection()).value.text().find("enrichments"), std::string::npos)
      << "else it is not there";
}

TEST(Detection, AThumbnailMayLieElsewhere) {
  auto wanted = detection();
  wanted.thumbnail = Thumbnail{"image/jpeg", {}, DataRef{"file:///blobs/a%2Fb", 40'000, "0123456789abcdef"}};
  auto encoded = encode(wanted);
  EXPECT_EQ(find_header(encoded.headers, "ce_thumbnail"), "file:///blobs/a%2Fb");
  EXPECT_EQ(find_header(encoded.headers, "ce_dataref"), std::nullopt) << "the event itself is here";
  auto back = parse_detection(encoded.headers, encoded.value);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->thumbnail->ref, wanted.thumbnail->ref);
  EXPECT_TRUE(back->thumbnail->data.empty());
  EXPECT_EQ(encode(*back).value, encoded.value);
}

TEST(Detection, WhatIsNotThereIsNull) {
  Detection bare = detection();
  bare.score.reset();
  bare.box.reset();
  bare.thumbnail.reset();
  bare.details.clear();
  bare.zone.clear();
  auto encoded = encode(bare);
  auto back = parse_detection(encoded.headers, encoded.value);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_FALSE(back->score || back->box || back->thumbnail);
  EXPECT_EQ(back->details + back->zone, "");
}

TEST(Detection, DamageIsFound) {
  auto encoded = encode(detection());
  std::string text(encoded.value.text());
  text[text.find("motion")] = 'n';
  auto back = parse_detection(encoded.headers, Buffer::copy(text));
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::kCorrupt);
}

TEST(DeadLetter, ComesBackAsItWas) {
  DeadLetter letter{"door",
                    EpochNumber(17),
                    SegmentNumber(3),
                    PartitionId(2),
                    Offset(99),
                    Timestamp(std::chrono::seconds(1'795'348'800)),
                    {"exec", "2", "0123456789abcdef"},
                    "a group",
                    "it ended with code 3",
                    3};
  auto encoded = encode(letter);
  EXPECT_EQ(find_header(encoded.headers, "ce_id"), "dead-17-3-0123456789abcdef-a%20group");
  auto back = parse_dead_letter(encoded.headers, encoded.value);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->reason, letter.reason);
  EXPECT_EQ(back->offset, letter.offset);
  EXPECT_EQ(back->attempts, 3);
}

}  // namespace
}  // namespace gopline::record
