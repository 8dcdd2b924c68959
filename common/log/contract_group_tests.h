#pragma once
#include <set>

#include "common/log/contract_test_suite.h"

namespace gopline {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GroupContract {
 public:
  static LogReaderOptions member(std::string id = {}) {
    LogReaderOptions options;
    options.group = "g";
    options.member_id = std::move(id);
    options.session_timeout = std::chrono::seconds(10);
    return options;
  }
  // Lets members take turns at poll() until each has as many partitions as wanted.
  static bool settle(const std::vector<LogReader*>& members, const std::vector<std::size_t>& wanted) {
    auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
      bool settled = true;
      for (std::size_t i = 0; i < members.size(); ++i) {
        EXPECT_TRUE(members[i]->poll(Duration(0)));
        settled = settled && members[i]->assignment().size() == wanted[i];
      }
      if (settled) return true;
    }
    return false;
  }
  static std::set<TopicPartition> set_of(const LogReader& member) {
    auto all = member.assignment();
    return {all.begin(), all.end()};
  }
};

TEST_P(LogContract, AMemberAloneGetsEverythingAndStartsWhereItCommitted) {
  make_topic("t", 2);
  const TopicPartition where{"t", PartitionId(0)};
  for (int i = 0; i < 4; ++i) put(where, record("k", std::to_string(i)));
  {
    auto member = reader(GroupContract::member());
    ASSERT_TRUE(member->subscribe({"t"}, StartPosition::beginning()));
    EXPECT_THAT(values_of(take(*member, 4)), ElementsAre("0", "1", "2", "3"));
    EXPECT_THAT(member->assignment(), SizeIs(2));
    EXPECT_EQ(*member->committed(where), std::nullopt);
    ASSERT_TRUE(member->commit(where, Offset(2)));
    EXPECT_EQ(*member->committed(where), Offset(2));
  }
  reopen();
  auto member = reader(GroupContract::member());
  ASSERT_TRUE(member->subscribe({"t"}, StartPosition::beginning()));
  EXPECT_THAT(values_of(take(*member, 2)), ElementsAre("2", "3"));
  auto other_group = GroupContract::member();
  other_group.group = "other";
  auto stranger = reader(other_group);
  EXPECT_EQ(*stranger->committed(where), std::nullopt);
  ASSERT_TRUE(stranger->subscribe({"t"}, StartPosition::end()));
  EXPECT_TRUE(GroupContract::settle({stranger.get()}, {2}));
  EXPECT_THAT(*stranger->poll(Duration(0)), IsEmpty());
}

TEST_P(LogContract, MembersShareAndOnlyWhatMustMoves) {
  make_topic("t", 6);
  std::set<TopicPartition> revoked, assigned;
  auto options = GroupContract::member();
  options.on_revoked = [&](const std::vector<TopicPartition>& lost) {
    revoked.insert(lost.begin(), lost.end());
  };
  options.on_assigned = [&](const std::vector<TopicPartition>& gained) {
    assigned.insert(gained.begin(), gained.end());
  };
  auto first = reader(options);
  ASSERT_TRUE(first->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({first.get()}, {6}));
  EXPECT_THAT(assigned, SizeIs(6));
  auto before = GroupContract::set_of(*first);

  auto second = reader(GroupContract::member());
  ASSERT_TRUE(second->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({first.get(), second.get()}, {3, 3}));
  EXPECT_EQ(revoked, GroupContract::set_of(*second));

  auto third = reader(GroupContract::member());
  ASSERT_TRUE(third->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({first.get(), second.get(), third.get()}, {2, 2, 2}));
  std::set<TopicPartition> all;
  for (auto* member : {first.get(), second.get(), third.get()}) {
    for (const auto& where : member->assignment()) EXPECT_TRUE(all.insert(where).second);
  }
  EXPECT_EQ(all, before);

  third.reset();  // leaves at once
  EXPECT_TRUE(GroupContract::settle({first.get(), second.get()}, {3, 3}));
}

TEST_P(LogContract, EveryRecordGoesToOneMember) {
  make_topic("t", 4);
  auto one = reader(GroupContract::member());
  auto two = reader(GroupContract::member());
  ASSERT_TRUE(one->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(two->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({one.get(), two.get()}, {2, 2}));
  for (int i = 0; i < 40; ++i) put({"t", PartitionId(i % 4)}, record("k", std::to_string(i)));
  EXPECT_EQ(take(*one, 20).size(), 20u);
  EXPECT_EQ(take(*two, 20).size(), 20u);
}

TEST_P(LogContract, TheOneWhoLosesAPartitionCommitsFirstAndThenNoMore) {
  make_topic("t", 2);
  put({"t", PartitionId(0)}, record("k", "0"));
  put({"t", PartitionId(1)}, record("k", "1"));
  LogReader* raw = nullptr;
  std::vector<TopicPartition> lost;
  auto options = GroupContract::member();
  options.on_revoked = [&](const std::vector<TopicPartition>& revoked) {
    lost = revoked;
    for (const auto& where : revoked) EXPECT_TRUE(raw->commit(where, Offset(1)));
  };
  auto first = reader(options);
  raw = first.get();
  ASSERT_TRUE(first->subscribe({"t"}, StartPosition::beginning()));
  EXPECT_EQ(take(*first, 2).size(), 2u);
  auto second = reader(GroupContract::member());
  ASSERT_TRUE(second->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({first.get(), second.get()}, {1, 1}));
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_THAT(second->assignment(), ElementsAre(lost[0]));
  EXPECT_EQ(*second->committed(lost[0]), Offset(1));
  EXPECT_THAT(*second->poll(Duration(0)), IsEmpty());  // goes on where the first had finished
  EXPECT_EQ(first->commit(lost[0], Offset(1)).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(second->commit(lost[0], Offset(1)));
}

TEST_P(LogContract, ASilentMemberLosesItsPartitions) {
  make_topic("t", 2);
  put({"t", PartitionId(0)}, record("k", "0"));
  auto silent = reader(GroupContract::member());
  auto other = reader(GroupContract::member());
  ASSERT_TRUE(silent->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(other->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({silent.get(), other.get()}, {1, 1}));
  auto its = silent->assignment().at(0);
  harness_->advance(std::chrono::seconds(9));
  EXPECT_TRUE(other->poll(Duration(0)));
  harness_->advance(std::chrono::seconds(9));
  ASSERT_TRUE(GroupContract::settle({other.get()}, {2}));
  EXPECT_EQ(silent->commit(its, Offset(1)).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(GroupContract::settle({silent.get(), other.get()}, {1, 1}));  // back again
}

TEST_P(LogContract, AStaticMemberComesBackToItsPartitions) {
  make_topic("t", 4);
  auto one = reader(GroupContract::member("one"));
  auto two = reader(GroupContract::member("two"));
  ASSERT_TRUE(one->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(two->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({one.get(), two.get()}, {2, 2}));
  auto had = GroupContract::set_of(*one);
  one.reset();
  ASSERT_TRUE(two->poll(Duration(0)));
  EXPECT_THAT(two->assignment(), SizeIs(2));  // kept for it
  one = reader(GroupContract::member("one"));
  ASSERT_TRUE(one->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({one.get(), two.get()}, {2, 2}));
  EXPECT_EQ(GroupContract::set_of(*one), had);
}

TEST_P(LogContract, ASecondReaderWithTheSameMemberIdFencesTheFirstOff) {
  make_topic("t");
  auto old = reader(GroupContract::member("one"));
  ASSERT_TRUE(old->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({old.get()}, {1}));
  auto young = reader(GroupContract::member("one"));
  ASSERT_TRUE(young->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({young.get()}, {1}));
  EXPECT_EQ(old->commit({"t", PartitionId(0)}, Offset(0)).error().code, ErrorCode::kConflict);
  EXPECT_EQ(old->poll(Duration(0)).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(young->commit({"t", PartitionId(0)}, Offset(0)));
}

TEST_P(LogContract, AGroupSeesPartitionsComeAndGo) {
  make_topic("t", 1);
  make_topic("u", 1);
  auto member = reader(GroupContract::member());
  ASSERT_TRUE(member->subscribe({"t", "u"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({member.get()}, {2}));
  ASSERT_TRUE(log().add_partitions("t", 3));
  EXPECT_TRUE(GroupContract::settle({member.get()}, {4}));
  ASSERT_TRUE(member->commit({"u", PartitionId(0)}, Offset(0)));
  ASSERT_TRUE(log().delete_topic("u"));
  EXPECT_TRUE(GroupContract::settle({member.get()}, {3}));
  make_topic("u", 1);
  EXPECT_TRUE(GroupContract::settle({member.get()}, {4}));
  EXPECT_EQ(*member->committed({"u", PartitionId(0)}), std::nullopt);  // gone with its topic
}

TEST_P(LogContract, GroupsNeedWhatTheyNeed) {
  make_topic("t");
  auto nobody = reader();
  EXPECT_EQ(nobody->subscribe({"t"}, StartPosition::beginning()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(nobody->commit({"t", PartitionId(0)}, Offset(0)).error().code, ErrorCode::kInvalidArgument);
  auto member = reader(GroupContract::member());
  EXPECT_EQ(member->subscribe({"x"}, StartPosition::beginning()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(member->committed({"x", PartitionId(0)}).error().code, ErrorCode::kNotFound);
}

TEST_P(LogContract, AReaderThatHasAssignedCommitsWhileTheGroupIsEmpty) {
  make_topic("t");
  const TopicPartition where{"t", PartitionId(0)};
  auto alone = reader_of(where, StartPosition::beginning(), GroupContract::member());
  EXPECT_TRUE(alone->commit(where, Offset(0)));
  auto member = reader(GroupContract::member());
  ASSERT_TRUE(member->subscribe({"t"}, StartPosition::beginning()));
  ASSERT_TRUE(GroupContract::settle({member.get()}, {1}));  // joined at the latest now
  EXPECT_EQ(alone->commit(where, Offset(0)).error().code, ErrorCode::kConflict);
}

}  // namespace gopline
