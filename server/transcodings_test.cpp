#include "server/transcodings.h"

#include <atomic>
#include <future>

#include <gmock/gmock.h>

namespace gopline::server {
namespace {

using ::testing::HasSubstr;

Transcodings::Key key(std::int64_t segment) {
  return {"lobby", EpochNumber(1), SegmentNumber(segment)};
}

std::shared_ptr<const BufferChain> bytes_of(std::size_t count) {
  return std::make_shared<const BufferChain>(Buffer::copy(std::string(count, 'x')));
}

// What is made waits at a gate until the test opens it.
struct TranscodingsTest : ::testing::Test {
  metrics::Registry registry;
  std::atomic<int> made{0};
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  std::promise<void> begun;
  Transcodings transcodings{1, 1000, ServerMetrics(registry)};

  Transcodings::Make at_once(std::size_t size = 10) {
    return [this, size](const auto&) -> Transcodings::Made {
      ++made;
      return bytes_of(size);
    };
  }
  Transcodings::Make behind_the_gate() {
    return [this](const Transcodings::IsWanted& is_wanted) -> Transcodings::Made {
      if (++made == 1) begun.set_value();
      open.wait();
      if (!is_wanted()) return fail(ErrorCode::kCancelled, "nobody");
      return bytes_of(10);
    };
  }
  std::future<Transcodings::Made> ask(std::int64_t segment, Transcodings::Make make, StopToken gone = {}) {
    auto answer = std::make_shared<std::promise<Transcodings::Made>>();
    transcodings.get(key(segment), std::move(make), std::move(gone),
                     [answer](Transcodings::Made result) { answer->set_value(std::move(result)); });
    return answer->get_future();
  }
};

TEST_F(TranscodingsTest, all_who_ask_meanwhile_and_after_get_the_same) {
  auto first = ask(1, behind_the_gate());
  auto second = ask(1, behind_the_gate());
  gate.set_value();
  auto one = first.get(), other = second.get();
  ASSERT_TRUE(one && other);
  EXPECT_EQ(*one, *other);
  EXPECT_EQ(*ask(1, at_once()).get(), *one);
  EXPECT_EQ(made, 1);
}

TEST_F(TranscodingsTest, is_cut_off_when_the_last_who_waits_has_gone) {
  StopSource one, other;
  auto first = ask(1, behind_the_gate(), one.get_token());
  auto second = ask(1, behind_the_gate(), other.get_token());
  begun.get_future().wait();
  auto queued = ask(2, at_once(), one.get_token());
  one.request_stop();
  other.request_stop();
  gate.set_value();
  EXPECT_EQ(first.get().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(second.get().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(queued.get().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(made, 1) << "what was not begun is not";
  transcodings.stop();
  EXPECT_THAT(registry.to_text(), HasSubstr("gopline_server_abandoned_transcodings_total 2\n"));
  EXPECT_THAT(registry.to_text(), HasSubstr("gopline_server_transcodings{state=\"running\"} 0\n"));
  EXPECT_THAT(registry.to_text(), HasSubstr("gopline_server_transcodings{state=\"waiting\"} 0\n"));
}

TEST_F(TranscodingsTest, goes_on_for_who_is_still_there) {
  StopSource one;
  auto first = ask(1, behind_the_gate(), one.get_token());
  auto second = ask(1, behind_the_gate());
  one.request_stop();
  gate.set_value();
  EXPECT_TRUE(second.get());
  EXPECT_EQ(made, 1);
}

TEST_F(TranscodingsTest, what_failed_is_tried_again_and_what_throws_fails) {
  auto failing = [](const auto&) -> Transcodings::Made { return fail(ErrorCode::kCorrupt, "no"); };
  EXPECT_EQ(ask(1, failing).get().error().code, ErrorCode::kCorrupt);
  auto throwing = [](const auto&) -> Transcodings::Made { throw std::runtime_error("oh"); };
  EXPECT_EQ(ask(1, throwing).get().error().code, ErrorCode::kInternal);
  EXPECT_TRUE(ask(1, at_once()).get());
}

TEST_F(TranscodingsTest, keeps_what_was_used_last_within_its_bound) {
  ASSERT_TRUE(ask(1, at_once(400)).get());
  ASSERT_TRUE(ask(2, at_once(400)).get());
  ASSERT_TRUE(ask(1, at_once(400)).get());
  ASSERT_TRUE(ask(3, at_once(400)).get());  // the second has to go
  EXPECT_EQ(made, 3);
  ASSERT_TRUE(ask(1, at_once(400)).get());
  EXPECT_EQ(made, 3);
  ASSERT_TRUE(ask(2, at_once(400)).get());
  EXPECT_EQ(made, 4);
}

TEST_F(TranscodingsTest, refuses_what_waits_too_long_and_everything_once_it_is_stopped) {
  std::vector<std::future<Transcodings::Made>> asked;
  for (int segment = 0; segment < 64; ++segment) asked.push_back(ask(segment, behind_the_gate()));
  EXPECT_EQ(ask(64, at_once()).get().error().code, ErrorCode::kUnavailable);
  gate.set_value();
  transcodings.stop();
  for (auto& one : asked) one.wait();
  EXPECT_EQ(ask(99, at_once()).get().error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace gopline::server
