#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/test_directory.h"
#include "common/log/kafka/fetched.h"
#include "common/log/kafka/kafka_log.h"
#include "common/log/kafka/topic_settings.h"

namespace gopline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(KafkaUrl, NamesBrokersNamespaceAndProperties) {
  auto url = parse_kafka_url("kafka://a:9092,b:9093/site-7?linger.ms=5&sasl.password=p%26%3D%20w");
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->brokers, "a:9092,b:9093");
  EXPECT_EQ(url->topic_namespace, "site-7");
  ASSERT_EQ(url->properties.size(), 2u);
  EXPECT_EQ(url->properties[0].name, "linger.ms");
  EXPECT_EQ(url->properties[0].value, "5");
  EXPECT_EQ(url->properties[1].value, "p&= w");
  auto bare = parse_kafka_url("kafka://[::1]:9092");
  ASSERT_TRUE(bare) << bare.error().message;
  EXPECT_EQ(bare->brokers, "[::1]:9092");
  EXPECT_EQ(bare->topic_namespace, "");
}

TEST(KafkaUrl, RefusesWhatItCannotMean) {
  for (const auto* wrong :
       {"kafka:", "kafka://a:1,", "kafka://", "kafka:///ns", "kafka://host", "kafka://host:0",
        "kafka://:9092", "kafka://host:99999", "kafka://a:1,,b:2", "kafka://a:1/ns?novalue",
        "kafka://a:1/ns?=v", "kafka://a:1/ns?x=%zz", "http://a:1"}) {
    auto url = parse_kafka_url(wrong);
    ASSERT_FALSE(url) << wrong;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument) << wrong;
  }
}

TEST(KafkaUrl, NeverShowsASecret) {
  auto shown = kafka_url_without_secrets(
      "kafka://me:secret@a:9092,b:9092/ns?sasl.password=secret&ssl.key.password=secret");
  EXPECT_THAT(shown, Not(HasSubstr("secret")));
  EXPECT_THAT(shown, HasSubstr("a:9092,b:9092/ns"));
  auto refused = parse_kafka_url("kafka://me:secret@a:9092/ns?x=secret");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, Not(HasSubstr("secret")));
}

TEST(KafkaProperties, ComeFromAFile) {
  TestDirectory folder;
  auto path = folder / "client.properties";
  std::ofstream(path) << "# a comment\n\n! another\n security.protocol = SASL_SSL \nsasl.password=a=b\r\n";
  auto properties = read_kafka_properties(path);
  ASSERT_TRUE(properties) << properties.error().message;
  ASSERT_EQ(properties->size(), 2u);
  EXPECT_EQ((*properties)[0].name, "security.protocol");
  EXPECT_EQ((*properties)[0].value, "SASL_SSL");
  EXPECT_EQ((*properties)[1].value, "a=b");
  EXPECT_EQ((*properties)[1].origin, path + ":5");
  std::ofstream(path) << "fine=1\nsecret\n";
  auto wrong = read_kafka_properties(path);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr(path + ":2"));
  EXPECT_THAT(wrong.error().message, Not(HasSubstr("secret")));
  EXPECT_EQ(read_kafka_properties(folder / "missing").error().code, ErrorCode::kNotFound);
}

TEST(KafkaProperties, ComeFromTheEnvironment) {
  const char* environment[] = {"HOME=/root",
                               "GOPLINE_KAFKA_SASL_PASSWORD=x=y",
                               "GOPLINE_KAFKA_CONFIG=file",
                               "GOPLINE_KAFKA_SSL__CA=pem",
                               "GOPLINE_LOG=kafka://a:1",
                               nullptr};
  auto properties = kafka_properties_from(environment);
  ASSERT_EQ(properties.size(), 2u);
  EXPECT_EQ(properties[0].name, "sasl.password");
  EXPECT_EQ(properties[0].value, "x=y");
  EXPECT_EQ(properties[1].name, "ssl_ca");
}

TEST(KafkaProperties, WrongOnesAreNamedWithTheirOriginAndWithoutTheirValue) {
  auto error_of = [](std::string name, std::string value) {
    KafkaLogOptions options;
    options.brokers = "127.0.0.1:1";
    options.properties.push_back({std::move(name), std::move(value), "FILE:3"});
    auto log = open_kafka_log(options);
    EXPECT_FALSE(log);
    EXPECT_EQ(log.error().code, ErrorCode::kInvalidArgument) << log.error().message;
    return log.error().message;
  };
  EXPECT_THAT(error_of("no.such.property", "hidden"),
              testing::AllOf(HasSubstr("FILE:3"), HasSubstr("no.such.property"), Not(HasSubstr("hidden"))));
  EXPECT_THAT(error_of("socket.timeout.ms", "hidden"),
              testing::AllOf(HasSubstr("FILE:3"), Not(HasSubstr("hidden"))));
  EXPECT_THAT(error_of("gopline.no.such", "1"), HasSubstr("gopline.max.message.bytes"));
  EXPECT_THAT(error_of("acks", "0"), HasSubstr("promises"));
  EXPECT_THAT(error_of("enable.idempotence", "false"), HasSubstr("promises"));
}

TEST(KafkaLog, SaysThatNobodyAnswers) {
  KafkaLogOptions options;
  options.brokers = "127.0.0.1:1";
  options.patience = std::chrono::milliseconds(300);
  auto log = open_kafka_log(options);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(log.error().message, HasSubstr("127.0.0.1:1"));
  StopSource stop;
  stop.request_stop();
  options.stop = stop.get_token();
  EXPECT_EQ(open_kafka_log(options).error().code, ErrorCode::kCancelled);
}

TEST(TopicSettings, SayWhatTheSpecSays) {
  using kafka::settings_of;
  TopicSpec spec{"t", 8, {std::chrono::hours(24), 1'000'000'000, false}, false};
  auto settings = settings_of(spec, {3, 16 << 20});
  EXPECT_EQ(settings["retention.ms"], "86400000");
  EXPECT_EQ(settings["retention.bytes"], "1000000000");
  EXPECT_EQ(settings["min.insync.replicas"], "2");
  EXPECT_EQ(settings["cleanup.policy"], "delete");
  EXPECT_EQ(settings["segment.ms"], "8640000");
  EXPECT_EQ(settings["segment.bytes"], "100000000");
  EXPECT_EQ(settings.count("compression.type"), 0u);
  auto back = kafka::retention_of(settings);
  EXPECT_EQ(back.age, spec.retention.age);
  EXPECT_EQ(back.bytes, spec.retention.bytes);

  TopicSpec compacted{"s", 1, {std::nullopt, std::nullopt, true}, true};
  settings = settings_of(compacted, {1, 1 << 20});
  EXPECT_EQ(settings["cleanup.policy"], "compact");
  EXPECT_EQ(settings["compression.type"], "zstd");
  EXPECT_EQ(settings["min.insync.replicas"], "1");
  EXPECT_EQ(settings["retention.ms"], "-1");
  EXPECT_TRUE(kafka::retention_of(settings).compacted);
}

TEST(ResponseSizes, CountEveryRecordOfAResponseWithTheWholeOfIt) {
  std::vector<std::uint8_t> memory(1 << 20);
  kafka::ResponseSizes sizes;
  auto first = sizes.add(memory.data(), 1000);
  EXPECT_EQ(sizes.add(memory.data() + 1100, 1000), first);
  auto second = sizes.add(memory.data() + 500'000, 10);
  EXPECT_NE(second, first);
  EXPECT_EQ(sizes.bytes(first), 2100u);
  EXPECT_EQ(sizes.bytes(second), 10u);
  sizes.keep_newest();
  EXPECT_EQ(sizes.add(memory.data() + 500'020, 5), second);
  EXPECT_EQ(sizes.bytes(second), 25u);
}

}  // namespace
}  // namespace gopline
