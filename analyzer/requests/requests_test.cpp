#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analyzer/requests/answer.h"
#include "analyzer/requests/answer_requests.h"
#include "analyzer/requests/ask.h"
#include "common/base/test_time.h"
#include "common/log/memory_log.h"
#include "common/media/frames/jpeg.h"
#include "common/media/frames/still_image.h"
#include "common/media/frames/test_pictures.h"

namespace gopline::analyzer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Sees a box in every picture; one of 16 pixels width it cannot bear.
class BoxAnalyzer final : public Analyzer {
 public:
  Result<void> take(const Frame& frame, FindingSink& sink) override {
    if (frame.picture.width() == 16) return fail(ErrorCode::kUnavailable, "no network");
    Finding finding;
    finding.class_name = "box";
    finding.score = 0.75;
    finding.box = record::PictureBox{0.25, 0.25, 0.5, 0.5};
    sink.tell(finding);
    finding.phase = record::EventPhase::kEnd;
    sink.tell(finding);
    return {};
  }
  Result<void> finish(FindingSink&) override { return {}; }
};

class BoxKind final : public AnalyzerKind {
 public:
  BoxKind() : AnalyzerKind({"box", "1", "0123456789abcdef"}, {}) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    return std::make_unique<BoxAnalyzer>();
  }
  Result<std::unique_ptr<Analyzer>> make_for_stills() const override { return make(""); }
};

class MovieKind final : public AnalyzerKind {
 public:
  MovieKind() : AnalyzerKind({"movie", "1", "0"}, {}) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    return std::make_unique<BoxAnalyzer>();
  }
};

Buffer jpeg(int width, int height) {
  return *media::JpegEncoder().encode(media::test_picture(width, height));
}

class Requests : public ::testing::Test {
 protected:
  Requests() {
    options_.topic = "gopline.requests";
    options_.reply_topic = "gopline.replies";
    options_.reply_topics = {"gopline.replies*"};
    options_.never = {"gopline.replies-not", "gopline.requests"};
    options_.group = "workers";
    options_.until_end = true;
    options_.partitions = 2;
    for (const auto* topic : {"gopline.requests", "gopline.replies", "gopline.replies-mine",
                              "gopline.replies-not", "gopline.events"})
      EXPECT_TRUE(log_.ensure_topic({topic, 2, {}, false}));
  }
  void send(Headers headers, Buffer file, const std::string& key = "press") {
    auto writer = *log_.make_writer({});
    NewRecord record{key, BufferChain(std::move(file)), std::move(headers), kNoon};
    ASSERT_TRUE(writer->append_and_wait({"gopline.requests", PartitionId(0)}, std::move(record)));
  }
  RequestReport answer() {
    auto report = answer_requests(log_, clock_, kind_, options_, {}, {});
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : RequestReport{};
  }
  std::vector<StoredRecord> answers(const std::string& topic = "gopline.replies") {
    std::vector<StoredRecord> all;
    for (int i = 0; i < 2; ++i) {
      for (auto& one : log_.records({topic, PartitionId(i)})) all.push_back(std::move(one));
    }
    return all;
  }
  static std::string header(const StoredRecord& stored, const char* name) {
    return std::string(find_header(stored.headers, name).value_or("none"));
  }

  SystemClock clock_;
  MemoryLog log_;
  BoxKind kind_;
  RequestOptions options_;
};

TEST_F(Requests, APictureComesBackAnnotated) {
  auto file = jpeg(64, 48);
  send({{"reply-to", "gopline.replies"}, {"correlation-id", "7"}}, file);
  auto report = answer();
  EXPECT_EQ(report.answered, 1);
  EXPECT_TRUE(report.exactly_once);
  auto all = answers();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(header(all[0], "correlation-id"), "7");
  EXPECT_EQ(header(all[0], "status"), "done");
  EXPECT_EQ(header(all[0], "content-type"), "image/jpeg");
  EXPECT_EQ(header(all[0], "ce_id"), "answer-0-0-0123456789abcdef");
  EXPECT_THAT(header(all[0], "detections"), HasSubstr(R"("class":"box","score":0.75)"));
  EXPECT_EQ(all[0].key, "press");
  auto back = media::read_still_image(*all[0].value);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->picture.width(), 64);
  auto plain = media::read_still_image(file)->picture;
  EXPECT_GT(std::abs(back->picture.luma(17, 24) - plain.luma(17, 24)) +
                std::abs(back->picture.luma(30, 13) - plain.luma(30, 13)),
            40)
      << "there is a frame in it";
  EXPECT_EQ(answer().answered, 0) << "once";
}

TEST_F(Requests, WordsAloneForWhoWantsNoPicture) {
  send({{"reply-to", "gopline.replies"}, {"correlation-id", "7"}, {"accept", "application/json"}},
       jpeg(64, 48));
  answer();
  auto all = answers();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(header(all[0], "content-type"), "application/json");
  EXPECT_THAT(std::string(all[0].value->text()), HasSubstr(R"([{"class":"box")"));
}

TEST_F(Requests, TheHeadersOfSpringAreKnown) {
  send({{"kafka_replyTopic", "gopline.replies-mine"},
        {"kafka_correlationId", std::string("\0\x01\xff", 3)},
        {"kafka_replyPartition", std::string("\0\0\0\x01", 4)}},
       jpeg(64, 48));
  answer();
  auto all = answers("gopline.replies-mine");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].where.partition, PartitionId(1));
  EXPECT_EQ(header(all[0], "kafka_correlationId"), std::string("\0\x01\xff", 3));
}

TEST_F(Requests, WhatIsNoPictureIsAnsweredWithAnError) {
  send({{"reply-to", "gopline.replies"}, {"correlation-id", "1"}}, Buffer::copy(std::string_view("hello")));
  send({{"reply-to", "gopline.replies"}, {"correlation-id", "2"}}, Buffer());
  send({{"reply-to", "gopline.replies"}, {"correlation-id", "3"}}, jpeg(64, 48));
  auto report = answer();
  EXPECT_EQ(report.failed, 2);
  EXPECT_EQ(report.answered, 1);
  int errors = 0;
  for (const auto& one : answers()) {
    if (header(one, "status") != "failed") continue;
    ++errors;
    EXPECT_THAT(header(one, "error"), HasSubstr("JPEG, PNG or TIFF"));
  }
  EXPECT_EQ(errors, 2);
}

TEST_F(Requests, AnAnalyzerThatFailsIsTriedAgainAndThenTheErrorIsTheAnswer) {
  send({{"reply-to", "gopline.replies"}}, jpeg(16, 16));
  send({{"reply-to", "gopline.replies"}}, jpeg(64, 48));
  auto report = answer();
  EXPECT_EQ(report.failed, 1);
  EXPECT_EQ(report.repeated, 2);
  EXPECT_EQ(report.answered, 1) << "by a new one";
}

TEST_F(Requests, AnswersGoOnlyWhereTheyMay) {
  for (const auto* topic :
       {"gopline.events", "gopline.replies-not", "gopline.requests", "gopline.replies-away"})
    send({{"reply-to", topic}}, jpeg(64, 48));
  send({}, jpeg(64, 48));
  send({{"reply-to", "gopline.replies"}, {"ce_type", kAnswerType}}, jpeg(64, 48));
  auto report = answer();
  EXPECT_EQ(report.unanswerable, 6);
  EXPECT_EQ(report.answered, 0);
  for (const auto* topic : {"gopline.events", "gopline.replies-not", "gopline.replies"})
    EXPECT_TRUE(answers(topic).empty()) << topic;
  EXPECT_EQ(answer().unanswerable, 0) << "they are done with";
}

TEST_F(Requests, ALogThatIsAwayForAWhileCostsNothing) {
  send({{"reply-to", "gopline.replies"}}, jpeg(64, 48));
  send({{"reply-to", "gopline.replies"}}, jpeg(64, 48));
  log_.fail_next_polls(2, {ErrorCode::kUnavailable, "away"});
  EXPECT_EQ(answer().answered, 2);
  EXPECT_EQ(answers().size(), 2u);
}

TEST_F(Requests, WhatTakesMoreThanAPictureIsRefused) {
  auto report = answer_requests(log_, clock_, MovieKind(), options_, {}, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(report.error().message, HasSubstr("movie"));
}

TEST_F(Requests, WhoAsksGetsHisOwnAnswers) {
  auto asker = Asker::open(log_, clock_, {"gopline.requests", "gopline.replies", "desk", true});
  auto other = Asker::open(log_, clock_, {"gopline.requests", "gopline.replies", "desk", false});
  ASSERT_TRUE(asker && other);
  auto first = *(*asker)->send(jpeg(64, 48));
  auto second = *(*asker)->send(Buffer::copy(std::string_view("hello")));
  (*other)->send(jpeg(64, 48));
  EXPECT_EQ((*asker)->receive(std::chrono::milliseconds(1), {})->has_value(), false) << "nobody has answered";
  answer();
  std::map<std::string, Answer> got;
  for (int i = 0; i < 2; ++i) {
    auto one = (*asker)->receive(std::chrono::minutes(1), {});
    ASSERT_TRUE(one && *one);
    got[(*one)->correlation] = **one;
  }
  EXPECT_EQ((*asker)->unanswered(), 0u);
  EXPECT_FALSE(got[first].picture.empty());
  EXPECT_THAT(got[first].detections, HasSubstr("box"));
  EXPECT_THAT(got[second].error.value_or(""), HasSubstr("JPEG"));
  auto words = (*other)->receive(std::chrono::minutes(1), {});
  ASSERT_TRUE(words && *words);
  EXPECT_TRUE((**words).picture.empty());
  EXPECT_THAT((**words).detections, HasSubstr("box"));
}

TEST(Words, TheBestStayWhereThereIsNoRoomForAll) {
  std::vector<Finding> findings(100);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    findings[i].class_name = "thing" + std::to_string(i);
    findings[i].score = static_cast<double>(i) / 100;
  }
  auto words = words_of(findings, 500);
  EXPECT_LE(words.json.size(), 500u);
  EXPECT_THAT(words.json, HasSubstr("thing99"));
  EXPECT_GT(words.left_out, 80);
  EXPECT_LT(words.left_out, 100);
  EXPECT_EQ(words_of({}, 500).json, "[]");
}

TEST(Answer, APictureThatDoesNotFitIsMadeSmaller) {
  auto writer = *AnswerWriter::open({"box", "1", "0"});
  SeenPicture seen{media::test_picture(1280, 960), {}};
  auto whole = writer->done({}, {{"t", PartitionId(0)}, Offset(0)}, seen, 1 << 20, kNoon);
  auto small = writer->done({}, {{"t", PartitionId(0)}, Offset(0)}, seen, 20'000, kNoon);
  ASSERT_TRUE(whole && small);
  EXPECT_EQ(media::read_still_image(whole->value->flatten())->picture.width(), 1280);
  EXPECT_LT(small->value->size(), 20'000u);
  EXPECT_EQ(*find_header(small->headers, "width"), "1280") << "what boxes are fractions of";
  auto none = writer->done({}, {{"t", PartitionId(0)}, Offset(0)}, seen, 100, kNoon);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace gopline::analyzer
