#include "analyzer/exec/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

namespace gopline::analyzer {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<Program> start(const std::string& command, Duration patience = std::chrono::seconds(60)) {
  std::signal(SIGPIPE, SIG_IGN);  // as in the program: the write says it
  ProgramOptions options;
  options.command = command;
  options.patience = patience;
  options.most_answer_bytes = 4096;
  auto program = Program::start(options);
  EXPECT_TRUE(program) << program.error().message;
  return std::move(*program);
}

Result<std::string> ask(Program& program, std::string_view question) {
  return program.ask(std::span(reinterpret_cast<const std::uint8_t*>(question.data()), question.size()));
}

TEST(Program, IsAskedAndAnswersLineByLine) {
  auto program = start("while read line; do echo \"<$line>\"; done");
  EXPECT_EQ(*ask(*program, "one\n"), "<one>");
  EXPECT_EQ(*ask(*program, "two\n"), "<two>");
}

TEST(Program, TakesQuestionsThatAreLargerThanAPipe) {
  auto program = start("head -c 3000000 | wc -c; cat");
  EXPECT_EQ(*ask(*program, std::string(3'000'000, 'x')), "3000000");
}

TEST(Program, ThatHasEndedSaysHow) {
  auto program = start("read line; exit 3");
  auto answer = ask(*program, "one\n");
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("ended with code 3"));
  EXPECT_FALSE(ask(*program, "two\n"));
  auto killed = start("kill -SEGV $$");
  EXPECT_THAT(ask(*killed, "one\n").error().message, HasSubstr("signal 11"));
}

TEST(Program, ThatDoesNotAnswerIsNotWaitedForForEver) {
  auto program = start("cat > /dev/null", std::chrono::milliseconds(50));
  EXPECT_THAT(ask(*program, "one\n").error().message, HasSubstr("has not answered"));
  auto deaf = start("sleep 1000", std::chrono::milliseconds(50));
  EXPECT_THAT(ask(*deaf, std::string(3'000'000, 'x')).error().message, HasSubstr("has not answered"));
}

TEST(Program, ThatSaysTooMuchIsNotListenedTo) {
  auto flood = start("read line; yes | tr -d '\\n'");
  EXPECT_THAT(ask(*flood, "one\n").error().message, HasSubstr("says more than"));
  auto chatter = start("read line; printf 'a\\nb\\n'; cat");
  EXPECT_EQ(*ask(*chatter, "one\n"), "a");
  EXPECT_THAT(ask(*chatter, "two\n").error().message, HasSubstr("more than one line"));
}

}  // namespace
}  // namespace gopline::analyzer
