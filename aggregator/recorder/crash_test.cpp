#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/recorder/record_streams.h"
#include "aggregator/recorder/test_footage.h"
#include "common/base/test_directory.h"

// Recorders that die at every point at which it could matter: what is in finished files is the source, each
// packet once.
namespace gopline::aggregator {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr int kDied = 9;
const int kEvery = std::getenv("GOPLINE_TEST_LONG") != nullptr ? 1 : 4;  // of the points to die at

std::unique_ptr<Log> open_log(const std::string& path) {
  EmbeddedLogOptions options;
  options.directory = path;
  return *open_embedded_log(options);
}

RecordOptions options_for(const std::string& directory) {
  RecordOptions options;
  options.patterns = {"*"};
  options.recording.directory = directory;
  options.recording.split_every = 6s;
  options.group = "g";
  options.member_id = "m";  // the next need not wait until the dead one's session is over
  options.until_end = true;
  return options;
}

// Records in a process of its own, which dies without a farewell when `dies` says so. Returns whether it did.
bool record_and_die(const std::string& log_path, const RecordOptions& options,
                    const std::function<void(RecordEvents&)>& arrange) {
  auto child = ::fork();
  if (child == 0) {
    auto log = open_log(log_path);
    RecordEvents events;
    arrange(events);
    SystemClock clock;
    auto report = record_streams(*log, clock, options, events, {});
    ::_exit(report ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kDied) << status;
  return WEXITSTATUS(status) == kDied;
}

// Two streams, half an interval apart, so that a file of one ends in the middle of one of the other's.
class RecorderCrash : public ::testing::Test {
 protected:
  RecorderCrash() {
    auto log = open_log(log_path_);
    Footage footage(*log);
    auto a = footage.begin("a", clip_), b = footage.begin("b", clip_, kNoon + 3s);
    for (std::int64_t i = 0; i < 10; ++i) {
      footage.write(a, i);
      if (i == 4) footage.gap(a, record::GapCause::kSourceOutage, kNoon + 10s, kNoon + 10s);
      footage.write(b, i);
    }
    footage.end(a, 10);
  }

  void expect_each_once(const std::vector<std::string>& directories, const std::string& when) {
    auto expected = digests_of(clip_.packets);
    for (const auto* stream : {"a", "b"}) {
      std::map<int, std::multiset<std::string>> found, wanted;
      for (const auto& directory : directories) {
        for (const auto& [track, digests] : recorded(directory, stream))
          found[track].insert(digests.begin(), digests.end());
      }
      for (const auto& [track, digests] : expected) wanted[track].insert(digests.begin(), digests.end());
      EXPECT_TRUE(found == wanted) << stream << ", " << when;
    }
    std::size_t gaps = 0;
    for (const auto& directory : directories) {
      for (const auto& path : recordings_of(directory, "a")) {
        auto json = json_beside(path);
        gaps += json.find("source-outage") != json.npos ? 1 : 0;
      }
    }
    EXPECT_EQ(gaps, 1u) << when;
  }

  // Dies twice in a row at the n-th of what `hook` counts, then records to the end.
  void dies_at(const std::string& what,
               const std::function<void(RecordEvents&, std::function<void()>)>& hook) {
    bool died = true;
    for (int n = 1; died; n += kEvery) {
      TestDirectory directory;
      auto group = what + std::to_string(n);
      auto options = options_for(directory.path());
      options.group = group;
      died = false;
      for (int round = 0; round < 2; ++round) {
        died = record_and_die(log_path_, options,
                              [&](RecordEvents& events) {
                                auto count = std::make_shared<int>(0);
                                hook(events, [n, count] {
                                  if (++*count == n) ::_exit(kDied);
                                });
                              }) ||
               died;
      }
      record_and_die(log_path_, options, [](RecordEvents&) {});
      expect_each_once({directory.path()}, fmt::format("died at {} {}", what, n));
      for (const auto& file : std::filesystem::recursive_directory_iterator(directory.path()))
        EXPECT_NE(file.path().extension(), ".part");
      if (HasFailure()) return;
    }
  }

  void dies_at_step(const std::string& what, RecordStep step) {
    dies_at(what, [step](RecordEvents& events, const std::function<void()>& count) {
      events.on_step = [step, count](RecordStep done) {
        if (done == step) count();
      };
    });
  }

  const ClipSegments clip_ = cut_clip("street.mp4");
  TestDirectory folder_;
  const std::string log_path_ = folder_ / "log";
};

TEST_F(RecorderCrash, WhileAFileIsWritten) {
  dies_at("segment", [](RecordEvents& events, const std::function<void()>& count) {
    events.on_segment = [count](const std::string&) { count(); };
  });
}

TEST_F(RecorderCrash, AfterAFileHasItsName) {
  dies_at_step("file named", RecordStep::kFileNamed);
}

TEST_F(RecorderCrash, AfterItsJsonIsWritten) {
  dies_at_step("JSON written", RecordStep::kJsonWritten);
}

TEST_F(RecorderCrash, AfterItsProgressIsTold) {
  dies_at_step("progress written", RecordStep::kProgressWritten);
}

TEST_F(RecorderCrash, AfterACommit) {
  dies_at_step("committed", RecordStep::kCommitted);
}

// What a dead recorder has finished elsewhere is not recorded again.
TEST_F(RecorderCrash, AnotherRecorderGoesOnInAFolderOfItsOwn) {
  TestDirectory here, there;
  auto first = options_for(here.path());
  first.session_timeout = 1s;
  bool died = record_and_die(log_path_, first, [](RecordEvents& events) {
    auto count = std::make_shared<int>(0);
    events.on_step = [count](RecordStep done) {
      if (done == RecordStep::kProgressWritten && ++*count == 3) ::_exit(kDied);
    };
  });
  ASSERT_TRUE(died);
  auto options = options_for(there.path());
  options.member_id = "other";
  ASSERT_FALSE(record_and_die(log_path_, options, [](RecordEvents&) {}));
  EXPECT_FALSE(recordings_of(here.path(), "a").empty());
  EXPECT_FALSE(recordings_of(there.path(), "a").empty());
  expect_each_once({here.path(), there.path()}, "in two folders");
}

}  // namespace
}  // namespace gopline::aggregator
