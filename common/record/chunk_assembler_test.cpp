#include "common/record/chunk_assembler.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/record/test_records.h"

namespace gopline::record {
namespace {

using namespace testing;
using ::testing::ElementsAre;

class ChunkAssemblerTest : public ::testing::Test {
 protected:
  // What followed, one word per event: "3:abc" a segment, "lost 3:ab" with its prefix, "started 7", "ended",
  // "gap", "bad".
  std::vector<std::string> words(const std::vector<AssemblerEvent>& events) {
    std::vector<std::string> out;
    for (const auto& event : events) {
      if (auto* s = std::get_if<AssembledSegment>(&event)) {
        out.push_back(
            fmt::format("{}{}:{}", s->late ? "late " : "", s->headers.segment, s->bytes.flatten().text()));
        if (s->chain_broken) out.back() += " chain broken";
      } else if (auto* l = std::get_if<LostSegment>(&event)) {
        out.push_back(fmt::format("{}{} {}:{}", l->late ? "late " : "", to_string(l->cause),
                                  l->headers.segment, l->prefix.flatten().text()));
        reason_ = l->reason;
      } else if (auto* c = std::get_if<OpenChunk>(&event)) {
        out.push_back(
            fmt::format("{}open {}:{}", c->late ? "late " : "", c->headers.segment, c->bytes.text()));
      } else if (auto* e = std::get_if<StartedEpoch>(&event)) {
        out.push_back(fmt::format("started {}", e->epoch));
      } else if (auto* b = std::get_if<BadRecord>(&event)) {
        out.push_back("bad");
        reason_ = b->error.message;
      } else {
        out.push_back(std::holds_alternative<EndedEpoch>(event) ? "ended" : "gap");
      }
    }
    return out;
  }
  std::vector<std::string> add(const MadeRecord& r) {
    return words(assembler_.add({Offset(offset_++), kNoon, r.key, &r.headers, r.value, {}}, now_));
  }
  std::vector<std::string> add(const Encoded& r) { return add(MadeRecord{r.key, r.headers, r.value}); }
  std::vector<std::string> add_all(const std::vector<MadeRecord>& records) {
    std::vector<std::string> out;
    for (const auto& r : records) {
      for (auto& word : add(r)) out.push_back(std::move(word));
    }
    return out;
  }
  const AssemblerStats& stats() const { return assembler_.stats(); }

  ChunkAssembler assembler_;
  std::int64_t offset_ = 0;
  SteadyTime now_{};
  std::string reason_;
  std::vector<MadeRecord> three_ = segment_records({"ab", "cd", "ef"});
};

TEST_F(ChunkAssemblerTest, OneChunkIsASegment) {
  EXPECT_THAT(add_all(segment_records({"abc"})), ElementsAre("3:abc"));
  EXPECT_EQ(stats().segments, 1u);
  EXPECT_EQ(stats().bytes, 3u);
}

TEST_F(ChunkAssemblerTest, TheValueIsSharedNotCopied) {
  auto r = segment_records({"abc"})[0];
  auto events = assembler_.add({Offset(0), kNoon, r.key, &r.headers, r.value, {}}, now_);
  EXPECT_EQ(std::get<AssembledSegment>(events[0]).bytes.buffers()[0].data(), r.value.data());
}

TEST_F(ChunkAssemblerTest, ChunksInOrderAreASegment) {
  EXPECT_THAT(add(three_[0]), ElementsAre());
  EXPECT_GT(assembler_.pending_bytes(), 0u);
  EXPECT_EQ(assembler_.oldest_pending(), Offset(0));
  EXPECT_THAT(add(three_[1]), ElementsAre());
  EXPECT_THAT(add(three_[2]), ElementsAre("3:abcdef"));
  EXPECT_EQ(assembler_.pending_bytes(), 0u);
  EXPECT_EQ(assembler_.oldest_pending(), std::nullopt);
}

TEST_F(ChunkAssemblerTest, AnyOrderWillDo) {
  EXPECT_THAT(add_all({three_[2], three_[0], three_[1]}), ElementsAre("3:abcdef"));
  EXPECT_EQ(stats().duplicates, 0u);
}

TEST_F(ChunkAssemblerTest, WhoAsksIsToldOfChunksInARowBeforeTheWhole) {
  AssemblerOptions options;
  options.tells_chunks = true;
  assembler_ = ChunkAssembler(options);
  auto four = segment_records({"ab", "cd", "ef", "gh"});
  EXPECT_THAT(add(four[0]), ElementsAre("open 3:ab"));
  EXPECT_THAT(add(four[2]), ElementsAre()) << "the one before it has not come";
  EXPECT_THAT(add(four[1]), ElementsAre("open 3:cd", "open 3:ef"));
  EXPECT_THAT(add(four[0]), ElementsAre()) << "a duplicate is told no more";
  EXPECT_THAT(add(four[3]), ElementsAre("3:abcdefgh"));
  EXPECT_THAT(add_all(segment_records({"x"}, segment_headers(7, 4))), ElementsAre("4:x"));
}

TEST_F(ChunkAssemblerTest, AnEmptySegmentIsOne) {
  EXPECT_THAT(add_all(segment_records({""})), ElementsAre("3:"));
}

TEST_F(ChunkAssemblerTest, StreamsInterleave) {
  auto other = segment_headers();
  other.stream = "lobby";
  auto two = segment_records({"12", "34"}, other);
  EXPECT_THAT(add_all({three_[0], two[0], three_[1], two[1], three_[2]}), ElementsAre("3:1234", "3:abcdef"));
}

TEST_F(ChunkAssemblerTest, WhatWasSeenIsTakenOnce) {
  auto one = segment_records({"x"}, segment_headers(7, 4));
  EXPECT_THAT(add_all({three_[0], three_[0], three_[1], three_[2], three_[1], one[0], one[0], three_[2]}),
              ElementsAre("3:abcdef", "4:x"));
  EXPECT_EQ(stats().duplicates, 4u);
  EXPECT_EQ(stats().conflicts, 0u);
}

TEST_F(ChunkAssemblerTest, TheSameIdWithOtherBytesIsAConflict) {
  auto forged = segment_records({"ab", "XX", "ef"});
  EXPECT_THAT(add_all({three_[0], three_[1], forged[1], three_[2], forged[0], forged[1]}),
              ElementsAre("3:abcdef"));
  EXPECT_EQ(stats().conflicts, 2u);
  EXPECT_EQ(stats().duplicates, 1u);
}

TEST_F(ChunkAssemblerTest, AlteredBytesAreAGap) {
  auto altered = three_[1];
  altered.value = Buffer::copy(std::string_view("cX"));
  EXPECT_THAT(add_all({three_[0], altered, three_[2]}), ElementsAre("corrupt 3:ab"));
  EXPECT_NE(reason_.find("chunk 1 at offset 1"), std::string::npos) << reason_;
  EXPECT_EQ(stats().corrupt, 1u);
  EXPECT_EQ(assembler_.pending_bytes(), 0u);
}

TEST_F(ChunkAssemblerTest, WhatTheLogKnowsToBeDamagedIsAGap) {
  auto& r = three_[0];
  EXPECT_THAT(words(assembler_.add({Offset(5), kNoon, r.key, &r.headers, {}, "short file"}, now_)),
              ElementsAre("corrupt 3:"));
  EXPECT_NE(reason_.find("short file"), std::string::npos);
}

TEST_F(ChunkAssemblerTest, AWrongSizeOrDigestIsCorrupt) {
  auto set = [](MadeRecord r, std::string_view name, std::string value) {
    for (auto& h : r.headers) {
      if (h.name == name) h.value = value;
    }
    return r;
  };
  EXPECT_THAT(add(set(segment_records({"abc"})[0], "ce_size", "4")), ElementsAre("corrupt 3:abc"));
  auto digested = segment_records({"abc"}, segment_headers(7, 4), {}, true);
  EXPECT_THAT(add(set(digested[0], "ce_sha256", std::string(64, 'a'))), ElementsAre("corrupt 4:abc"));
  EXPECT_EQ(stats().corrupt, 2u);
}

TEST_F(ChunkAssemblerTest, TheChainOfDigestsIsFollowed) {
  auto first = segment_records({"a"}, segment_headers(7, 0), {}, true);
  auto digest = sha256_hex(Buffer::copy(std::string_view("a")).bytes());
  auto second = segment_records({"b"}, segment_headers(7, 1), digest, true);
  auto third = segment_records({"c"}, segment_headers(7, 2), digest, true);  // names the wrong one
  EXPECT_THAT(add_all({first[0], second[0], third[0]}), ElementsAre("0:a", "1:b", "2:c chain broken"));
  EXPECT_EQ(stats().chain_breaks, 1u);
}

TEST_F(ChunkAssemblerTest, ChunksAfterTheLastAreCorrupt) {
  auto beyond = segment_records({"a", "b", "c", "d"})[3];
  EXPECT_THAT(add_all({beyond, three_[2]}), ElementsAre("corrupt 3:"));
}

TEST_F(ChunkAssemblerTest, ANewerEpochGivesUpWhatIsUnfinished) {
  auto started = encode(epoch_started(100));
  add_all({three_[0], three_[1]});
  EXPECT_THAT(add(started), ElementsAre("lost 3:abcd", "started 102"));
  EXPECT_NE(reason_.find("chunk 2 and what may follow are missing; a newer epoch"), std::string::npos)
      << reason_;
  EXPECT_THAT(add(three_[2]), ElementsAre()) << "it was given up";
  EXPECT_THAT(add(started), ElementsAre("started 104")) << "another offset is another epoch";
}

TEST_F(ChunkAssemblerTest, ARecordOfANewerEpochSaysThatItBegan) {
  add(three_[0]);
  EXPECT_THAT(add_all(segment_records({"n"}, segment_headers(8, 0))), ElementsAre("lost 3:ab", "0:n"));
}

TEST_F(ChunkAssemblerTest, OlderEpochsAreHistory) {
  add_all(segment_records({"n"}, segment_headers(8, 0)));
  EXPECT_THAT(add_all(three_), ElementsAre("late 3:abcdef"));
  auto marked = segment_headers(9, 0);
  marked.late = true;
  EXPECT_THAT(add_all(segment_records({"s"}, marked)), ElementsAre("late 0:s"));
  EXPECT_THAT(add_all(segment_records({"o"}, segment_headers(8, 1))), ElementsAre("1:o"))
      << "a spill is never the newest";
  EXPECT_EQ(stats().late, 4u);
}

TEST_F(ChunkAssemblerTest, ALateEpochStartsNothing) {
  auto marker = epoch_started(100);
  marker.late = true;
  add(three_[0]);
  EXPECT_THAT(add(encode(marker)), ElementsAre("started 101"));
  EXPECT_THAT(add_all({three_[1], three_[2]}), ElementsAre("3:abcdef"));
}

TEST_F(ChunkAssemblerTest, TheEndOfAnEpochGivesUp) {
  add(three_[0]);
  EpochEnded ended{"site-7/door-2", kWriter, EpochNumber(7), kNoon, EndCause::kStopped, 3, 9, false};
  EXPECT_THAT(add(encode(ended)), ElementsAre("lost 3:ab", "ended"));
  EXPECT_THAT(add(encode(ended)), ElementsAre()) << "told once";
}

TEST_F(ChunkAssemblerTest, GapsAreToldOnce) {
  Gap gap{"site-7/door-2", kWriter, EpochNumber(7), 0, kNoon, {GapCause::kClock, kNoon, kNoon, 0}, false};
  EXPECT_THAT(add(encode(gap)), ElementsAre("gap"));
  EXPECT_THAT(add(encode(gap)), ElementsAre());
  gap.number = 1;
  EXPECT_THAT(add(encode(gap)), ElementsAre("gap"));
}

// A writer that leaves a segment unfinished says so with a gap, and goes on with the next one.
TEST_F(ChunkAssemblerTest, AGapGivesUpWhatIsUnfinishedBeforeIt) {
  auto next = segment_records({"x", "y"}, segment_headers(7, 4));
  add_all({three_[0], three_[1]});
  Gap gap{
      "site-7/door-2", kWriter, EpochNumber(7), 0, kNoon, {GapCause::kOverBudget, kNoon, kNoon, 9}, false};
  EXPECT_THAT(add(encode(gap)), ElementsAre("lost 3:abcd", "gap"));
  EXPECT_NE(reason_.find("chunk 2"), std::string::npos) << reason_;
  EXPECT_THAT(add_all(next), ElementsAre("4:xy"));
}

TEST_F(ChunkAssemblerTest, WhatJoinsInTheMiddleOfASegmentBeginsWithTheNext) {
  AssemblerOptions options;
  options.joins = true;
  assembler_ = ChunkAssembler(options);
  EXPECT_THAT(add_all({three_[1], three_[2]}), ElementsAre());
  EXPECT_EQ(stats().headless, 2u);
  EXPECT_EQ(assembler_.pending_bytes(), 0u);
  auto next = segment_records({"x", "y"}, segment_headers(7, 4));
  EXPECT_THAT(add_all(next), ElementsAre("4:xy"));
  // From then on a first chunk that is missing is missed.
  auto after = segment_records({"v", "w"}, segment_headers(7, 5));
  EXPECT_THAT(add(after[1]), ElementsAre());
  EXPECT_THAT(words(assembler_.give_up_all()), ElementsAre("lost 5:"));
  // So it is in an epoch whose beginning was seen.
  auto newer = segment_records({"v", "w"}, segment_headers(9, 0));
  EXPECT_THAT(add(newer[0]), ElementsAre());
  EXPECT_THAT(add(newer[1]), ElementsAre("0:vw"));
  EXPECT_EQ(stats().headless, 2u);
}

TEST_F(ChunkAssemblerTest, WaitingHasAnEnd) {
  add(three_[0]);
  now_ += std::chrono::seconds(29);
  EXPECT_THAT(words(assembler_.expire(now_)), ElementsAre());
  add(three_[2]);  // something came: the time begins again
  now_ += std::chrono::seconds(29);
  EXPECT_THAT(words(assembler_.expire(now_)), ElementsAre());
  now_ += std::chrono::seconds(1);
  EXPECT_THAT(words(assembler_.expire(now_)), ElementsAre("lost 3:ab"));
  EXPECT_NE(reason_.find("chunk 1 of 3 is missing after waiting 30 s"), std::string::npos) << reason_;
}

TEST_F(ChunkAssemblerTest, GivingUpTellsWhatCame) {
  add_all({three_[0], three_[2]});
  EXPECT_THAT(words(assembler_.give_up("lobby")), ElementsAre());
  EXPECT_THAT(words(assembler_.give_up("site-7/door-2")), ElementsAre("lost 3:ab"));
  add(segment_records({"a", "b"}, segment_headers(7, 9))[1]);
  EXPECT_THAT(words(assembler_.give_up_all()), ElementsAre("lost 9:"));
  EXPECT_EQ(stats().lost_segments, 2u);
}

TEST_F(ChunkAssemblerTest, SaysWhatASegmentKeepsAlive) {
  std::size_t pinned = 0;
  for (const auto& r : three_) {
    std::size_t block = &r == &three_[1] ? 0 : 100;  // one has not said it: its own size
    for (auto& event :
         assembler_.add({Offset(offset_++), kNoon, r.key, &r.headers, r.value, {}, block}, now_)) {
      pinned = std::get<AssembledSegment>(event).pinned_bytes;
    }
  }
  EXPECT_EQ(pinned, 202u);
}

TEST_F(ChunkAssemblerTest, MemoryIsBounded) {
  assembler_ = ChunkAssembler({.max_bytes = 10'000});
  std::string big(3'000, 'x');
  std::vector<std::string> events;
  for (int segment = 0; segment < 10; ++segment) {
    now_ += std::chrono::milliseconds(1);
    for (auto& w : add(segment_records({big, "end"}, segment_headers(7, segment))[0]))
      events.push_back(w.substr(0, 13));
    EXPECT_LE(assembler_.pending_bytes(), 10'000u);
  }
  EXPECT_EQ(events.size(), 8u);
  EXPECT_EQ(events[0], "over-budget 0") << "the oldest gives way";
  EXPECT_EQ(stats().evicted, 8u);
}

TEST_F(ChunkAssemblerTest, MixedChunksAreCorrupt) {
  auto other = segment_headers();
  other.ordinal = Ordinal(77);
  auto forged = segment_records({"ab", "cd", "ef"}, other);
  EXPECT_THAT(add_all({three_[0], forged[1], three_[2]}), ElementsAre("corrupt 3:abcdef"));
}

TEST_F(ChunkAssemblerTest, AClaimCheckIsKeptForOthersToResolve) {
  auto h = segment_headers();
  h.last_chunk = true;
  h.duration = Rational{1, 1};
  h.size = 5'000;
  h.dataref = DataRef{"s3://bucket/key", 5'000, std::string(16, 'c')};
  auto headers = encode(h);
  auto events = assembler_.add({Offset(0), kNoon, h.stream, &headers, {}, {}}, now_);
  ASSERT_EQ(events.size(), 1u);
  auto& segment = std::get<AssembledSegment>(events[0]);
  EXPECT_THAT(segment.datarefs, ElementsAre(*h.dataref));
  EXPECT_TRUE(segment.bytes.empty());
}

TEST_F(ChunkAssemblerTest, ForeignRecordsArePassedOver) {
  EXPECT_THAT(add(MadeRecord{"k", {{"ce_type", "com.example.thing"}}, {}}), ElementsAre());
  EXPECT_THAT(add(MadeRecord{"k", {}, {}}), ElementsAre());
  EXPECT_EQ(stats().unknown_records, 2u);
  auto r = segment_records({"abc"})[0];
  r.headers.push_back({"ce_mood", "good"});
  EXPECT_THAT(add(r), ElementsAre("3:abc"));
  EXPECT_EQ(stats().unknown_headers, 1u);
}

TEST_F(ChunkAssemblerTest, NewerVersionsAreErrors) {
  auto r = segment_records({"abc"})[0];
  r.headers[1].value = "gopline.segment.v2";
  EXPECT_THAT(add(r), ElementsAre("bad"));
  EXPECT_NE(reason_.find("upgrade"), std::string::npos);
}

TEST_F(ChunkAssemblerTest, ManySegmentsTakeLittleMemoryAndStayKnown) {
  for (int i = 0; i < 5'000; ++i)
    ASSERT_EQ(add_all(segment_records({"x"}, segment_headers(7, i))).size(), 1u);
  EXPECT_THAT(add_all(segment_records({"x"}, segment_headers(7, 17))), ElementsAre());
  EXPECT_EQ(stats().duplicates, 1u);
}

// Whatever is dropped, repeated, swapped or altered: no segment is told twice, none is told wrong, and in the
// end everything is accounted for.
TEST_F(ChunkAssemblerTest, NothingWrongComesOutOfAnything) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    assembler_ = ChunkAssembler({.max_bytes = 20'000});
    std::vector<MadeRecord> records;
    std::map<std::int64_t, std::string> truth;
    for (int segment = 0; segment < 20; ++segment) {
      std::vector<std::string> values;
      for (unsigned i = 0; i < 1 + random() % 4; ++i)
        values.push_back(std::string(random() % 50, static_cast<char>('a' + i)));
      for (const auto& v : values) truth[segment] += v;
      for (auto& r : segment_records(values, segment_headers(7, segment))) records.push_back(std::move(r));
    }
    for (int fault = 0; fault < 10; ++fault) {
      auto at = random() % records.size();
      switch (random() % 4) {
        case 0:
          records.erase(records.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        case 1:
          records.push_back(records[at]);
          break;
        case 2:
          std::swap(records[at], records[random() % records.size()]);
          break;
        default:
          records[at].value = Buffer::copy(std::string_view("altered"));
      }
    }
    std::map<std::int64_t, int> told;
    auto check = [&](const std::vector<AssemblerEvent>& events) {
      for (const auto& event : events) {
        if (auto* s = std::get_if<AssembledSegment>(&event)) {
          EXPECT_EQ(s->bytes.flatten().text(), truth[s->headers.segment.value]) << seed;
          ++told[s->headers.segment.value];
        } else if (auto* l = std::get_if<LostSegment>(&event)) {
          ++told[l->headers.segment.value];
        }
      }
    };
    std::int64_t offset = 0;
    for (const auto& r : records)
      check(assembler_.add({Offset(offset++), kNoon, r.key, &r.headers, r.value, {}}, now_));
    check(assembler_.give_up_all());
    for (auto [segment, times] : told) EXPECT_EQ(times, 1) << "seed " << seed << " segment " << segment;
    EXPECT_EQ(assembler_.pending_bytes(), 0u);
  }
}

TEST_F(ChunkAssemblerTest, OfAForgottenStreamTheSameRecordsAreTakenAgain) {
  EXPECT_THAT(add_all(three_), ElementsAre("3:abcdef"));
  auto headers = segment_headers();
  headers.segment = SegmentNumber(4);
  add(segment_records({"gh", "ij"}, headers)[0]);
  EXPECT_EQ(assembler_.oldest_pending(), Offset(3));
  assembler_.forget(three_[0].key);
  EXPECT_EQ(assembler_.oldest_pending(), std::nullopt);
  EXPECT_EQ(assembler_.pending_bytes(), 0u);
  EXPECT_THAT(add_all(three_), ElementsAre("3:abcdef"));
}

}  // namespace
}  // namespace gopline::record
