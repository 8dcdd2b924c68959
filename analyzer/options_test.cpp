#include "analyzer/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gopline::analyzer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Specification, IsANameAndPairsAndRunTakesTheRest) {
  auto plain = parse_specification("motion");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->name, "motion");
  EXPECT_TRUE(plain->options.empty());
  auto full = parse_specification("exec:format=jpeg,run=python3 a.py --sizes 1,2 --x=y");
  ASSERT_TRUE(full);
  EXPECT_THAT(full->options,
              ElementsAre(std::pair("format", "jpeg"), std::pair("run", "python3 a.py --sizes 1,2 --x=y")));
  EXPECT_FALSE(parse_specification(""));
  EXPECT_FALSE(parse_specification(":a=b"));
  EXPECT_FALSE(parse_specification("motion:sensitivity"));
  EXPECT_FALSE(parse_specification("motion:=1"));
}

struct Read {
  double number = 0;
  Duration time{};
  std::string word;
  std::pair<int, int> size;
  std::string digest, error;
};

Read read(const std::string& words) {
  auto specification = *parse_specification(words);
  OptionReader reader(specification);
  Read out;
  out.number = reader.number("n", 0.5, 0, 1);
  out.time = reader.duration("t", std::chrono::seconds(1), std::chrono::milliseconds(10));
  out.word = reader.word("w", {"one", "two"});
  out.size = reader.size("size", {320, 0});
  out.digest = reader.digest();
  auto finished = reader.finish();
  if (!finished) out.error = finished.error().message;
  return out;
}

TEST(OptionReader, ReadsWhatIsSaidElseTheDefault) {
  auto fresh = read("x");
  EXPECT_EQ(fresh.error, "");
  EXPECT_EQ(fresh.number, 0.5);
  EXPECT_EQ(fresh.word, "one");
  auto said = read("x:n=0.25,t=200ms,w=two,size=64x48");
  EXPECT_EQ(said.error, "");
  EXPECT_EQ(said.number, 0.25);
  EXPECT_EQ(said.time, std::chrono::milliseconds(200));
  EXPECT_EQ(said.word, "two");
  EXPECT_EQ(said.size, std::pair(64, 48));
}

TEST(OptionReader, SaysWhatIsWrong) {
  EXPECT_THAT(read("x:n=2").error, HasSubstr("x: n: '2' is not a number from 0 to 1"));
  EXPECT_THAT(read("x:n=nan").error, HasSubstr("not a number"));
  EXPECT_THAT(read("x:t=1ms").error, HasSubstr("t: '1ms'"));
  EXPECT_THAT(read("x:w=three").error, HasSubstr("one, two"));
  EXPECT_THAT(read("x:size=12,n=1").error, testing::IsEmpty());
  EXPECT_THAT(read("x:size=ax1").error, HasSubstr("320x240"));
  EXPECT_THAT(read("x:size=99999x1").error, HasSubstr("320x240"));
  EXPECT_THAT(read("x:m=1").error, HasSubstr("no option 'm'; it has n, size, t, w"));
}

TEST(OptionReader, TheDigestIsOfValuesHoweverTheyCame) {
  EXPECT_EQ(read("x").digest, read("x:w=one,n=0.5").digest);
  EXPECT_EQ(read("x:n=0.25,t=2s").digest, read("x:t=2000ms,n=0.25").digest);
  EXPECT_NE(read("x").digest, read("x:n=0.25").digest);
}

}  // namespace
}  // namespace gopline::analyzer
