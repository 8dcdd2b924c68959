#pragma once
#include "common/log/atomic_publish.h"
#include "common/log/contract_group_tests.h"

namespace gopline {

TEST_P(LogContract, RecordsAndOffsetsAreThereTogether) {
  make_topic("in", 2);
  make_topic("out", 1);
  make_topic("dead", 1);
  const TopicPartition first{"in", PartitionId(0)}, second{"in", PartitionId(1)};
  const TopicPartition out{"out", PartitionId(0)}, dead{"dead", PartitionId(0)};
  for (const auto& where : {first, second}) put(where, record("k", "seen"));
  {
    auto member = reader(GroupContract::member());
    ASSERT_TRUE(member->subscribe({"in"}, StartPosition::beginning()));
    EXPECT_THAT(take(*member, 2), SizeIs(2));
    auto large = test_bytes(20'000, 1);
    auto done = publish_and_commit(*member,
                                   {{out, record("k", "found")},
                                    {out, {"k", BufferChain(large), {{"name", "value"}}, harness_->now()}},
                                    {dead, record("k", "given up")}},
                                   {{first, Offset(1)}, {second, Offset(1)}});
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_TRUE(publish_and_commit(*member, {{out, record("k", "more")}}, {{first, Offset(1)}}));
    EXPECT_EQ(*member->committed(second), Offset(1));
  }
  reopen();
  auto found = take(*reader_of(out), 3);
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[0].value->text(), "found");
  EXPECT_EQ(*found[1].value, test_bytes(20'000, 1));
  EXPECT_EQ(found[1].headers, (Headers{{"name", "value"}}));
  EXPECT_EQ(found[2].value->text(), "more");
  EXPECT_THAT(values_of(take(*reader_of(dead), 1)), ElementsAre("given up"));
  auto member = reader(GroupContract::member());
  ASSERT_TRUE(member->subscribe({"in"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({member.get()}, {2}));
  EXPECT_THAT(*member->poll(Duration(0)), IsEmpty()) << "the group is done with all of it";
}

TEST_P(LogContract, WhoHasLostAPartitionPublishesNothing) {
  make_topic("in", 2);
  make_topic("out", 1);
  const TopicPartition out{"out", PartitionId(0)};
  auto first = reader(GroupContract::member());
  ASSERT_TRUE(first->subscribe({"in"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({first.get()}, {2}));
  auto before = GroupContract::set_of(*first);
  auto second = reader(GroupContract::member());
  ASSERT_TRUE(second->subscribe({"in"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({first.get(), second.get()}, {1, 1}));
  auto its = *GroupContract::set_of(*second).begin(), mine = *GroupContract::set_of(*first).begin();
  auto refused =
      publish_and_commit(*first, {{out, record("k", "twice")}}, {{mine, Offset(0)}, {its, Offset(0)}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict) << refused.error().message;
  EXPECT_EQ(*first->committed(mine), std::nullopt) << "all or nothing";
  auto taken = publish_and_commit(*second, {{out, record("k", "once")}}, {{its, Offset(0)}});
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_THAT(values_of(take(*reader_of(out), 1)), ElementsAre("once"));
  EXPECT_THAT(values_of(all_of(out)), ElementsAre("once"));
}

TEST_P(LogContract, APublicationThatCannotBeWholeIsNotThere) {
  make_topic("in");
  make_topic("out");
  const TopicPartition in{"in", PartitionId(0)}, out{"out", PartitionId(0)};
  put(in, record("k", "seen"));
  auto member = reader(GroupContract::member());
  ASSERT_TRUE(member->subscribe({"in"}, StartPosition::beginning()));
  EXPECT_THAT(take(*member, 1), SizeIs(1));
  auto missing = publish_and_commit(
      *member, {{out, record("k", "half")}, {{"nowhere", PartitionId(0)}, record("k", "half")}},
      {{in, Offset(1)}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound) << missing.error().message;
  EXPECT_EQ(*member->committed(in), std::nullopt);
  auto whole = publish_and_commit(*member, {{out, record("k", "whole")}}, {{in, Offset(1)}});
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_THAT(values_of(take(*reader_of(out), 1)), ElementsAre("whole"));
  EXPECT_EQ(*member->committed(in), Offset(1));
}

}  // namespace gopline
