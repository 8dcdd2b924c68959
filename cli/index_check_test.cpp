#include "cli/index_check.h"

#include "splitter/publisher_fixture.h"

namespace gopline::cli {
namespace {

using namespace std::chrono_literals;

class IndexCheck : public splitter::PublisherTest {};

TEST_F(IndexCheck, AnEntryWhoseClockWentBackCountsToTheHourThatIsOpen) {
  Timestamp noon = time_of(0) - time_of(0).time_since_epoch() % 1h + 12h;
  auto publisher = open();
  int number = 0;
  for (auto time :
       {noon - 4s, noon - 2s, noon, noon + 2s, noon - 17h, noon - 1s, noon + 1s, noon + 1h, noon + 30min})
    ASSERT_TRUE(publisher->publish(segment(number++), time, {}));
  ASSERT_TRUE(publisher->close(record::EndCause::kStopped));
  auto topics = record::topics_of("gopline");
  auto directory = catalog::StreamDirectory::read(log_, topics, splitter::kStream);
  ASSERT_TRUE(directory);
  VerifyReport report;
  StreamLedger ledger(report, topics.segments);
  ASSERT_TRUE(check_index(log_, topics, directory->streams().at(splitter::kStream), ledger, {}, report));
  EXPECT_EQ(report.counts.index_hours, 3);
  for (const auto& problem : report.problems)
    EXPECT_EQ(problem.message.find("sums up"), std::string::npos) << problem.message;
}

}  // namespace
}  // namespace gopline::cli
