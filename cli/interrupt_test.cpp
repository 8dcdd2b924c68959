#include "cli/interrupt.h"

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <stop_token>

#include <gtest/gtest.h>
#include <unistd.h>

namespace gopline::cli {
namespace {

void wait_for_stop(const StopToken& token) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, token, [] { return false; });
}

TEST(InterruptWatcher, a_signal_requests_the_stop) {
  bool told = false;
  auto watcher = InterruptWatcher::start([&] { told = true; });
  ASSERT_TRUE(watcher) << watcher.error().message;
  EXPECT_FALSE((*watcher)->interrupted());
  kill(getpid(), SIGTERM);
  wait_for_stop((*watcher)->token());
  EXPECT_TRUE((*watcher)->interrupted());
  EXPECT_TRUE(told);
}

TEST(InterruptWatcher, ends_without_a_signal) {
  auto watcher = InterruptWatcher::start({});
  ASSERT_TRUE(watcher);
  watcher->reset();
}

void interrupt_twice() {
  auto watcher = InterruptWatcher::start({});
  if (!watcher) return;
  kill(getpid(), SIGINT);
  wait_for_stop((*watcher)->token());
  kill(getpid(), SIGINT);
  for (;;) pause();
}

TEST(InterruptWatcherDeathTest, a_second_signal_ends_the_process) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(interrupt_twice(), testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace gopline::cli
