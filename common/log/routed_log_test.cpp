#include "common/log/routed_log.h"

#include <set>

#include "common/log/contract_test_suite.h"
#include "common/log/memory_log.h"

namespace gopline {
namespace {

TEST(RoutedLog, PutsEachTopicWhereItBelongsAndReadsThemTogether) {
  auto clock = std::make_shared<FakeClock>();
  auto main = std::make_unique<MemoryLog>(MemoryLogOptions{clock, 1 << 20});
  auto second = std::make_unique<MemoryLog>(MemoryLogOptions{clock, 1 << 20});
  auto *in_main = main.get(), *in_second = second.get();
  std::map<std::string, std::unique_ptr<Log>> elsewhere;
  elsewhere["index"] = std::move(second);
  auto log = make_routed_log(std::move(main), std::move(elsewhere));
  for (const auto* topic : {"segments", "index"}) ASSERT_TRUE(log->ensure_topic({topic, 1, {}}));
  auto writer = *log->make_writer({});
  for (const auto* topic : {"segments", "index"}) {
    ASSERT_TRUE(
        writer->append_and_wait({topic, PartitionId(0)},
                                {"k", BufferChain(Buffer::copy(std::string_view(topic))), {}, clock->now()}));
  }
  EXPECT_THAT(*in_main->list_topics(), testing::ElementsAre("segments"));
  EXPECT_THAT(*in_second->list_topics(), testing::ElementsAre("index"));
  auto reader = *log->make_reader({});
  ASSERT_TRUE(reader->assign({{{"segments", PartitionId(0)}, StartPosition::beginning()},
                              {{"index", PartitionId(0)}, StartPosition::beginning()}}));
  std::set<std::string> seen;
  while (seen.size() < 2) {
    auto records = reader->poll(kPatience);
    ASSERT_TRUE(records);
    for (const auto& record : *records) seen.emplace(record.value->text());
  }
  EXPECT_THAT(seen, testing::ElementsAre("index", "segments"));
  LogReaderOptions member;
  member.group = "g";
  auto both = *log->make_reader(member);
  EXPECT_EQ(both->subscribe({"segments", "index"}, StartPosition::beginning()).error().code,
            ErrorCode::kUnsupported);
}

}  // namespace

}  // namespace gopline
