#include "aggregator/recorder/retention.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/recorder/recording.h"
#include "common/base/test_directory.h"

namespace gopline::aggregator {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Retention : public ::testing::Test {
 protected:
  const Timestamp now_ = Timestamp(std::chrono::seconds(1'795'348'800));
  TestDirectory directory_;

  void write(const std::string& path, const std::string& text, Duration age = {}) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
    auto in_seconds =
        std::chrono::duration_cast<std::chrono::seconds>((now_ - age).time_since_epoch()).count();
    timespec times[2] = {{in_seconds, 0}, {in_seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  // A recording of 1000 bytes that was finished so long ago; its path without an extension.
  std::string record(const std::string& stream, Duration age) {
    Recording recording;
    recording.stream = stream;
    auto stem = recording_name(now_ - age, EpochNumber(1), ++segment_);
    recording.file = stem + ".mp4";
    auto path = directory_ / recording_folder(stream) + "/" + stem;
    write(path + ".mp4", std::string(1000, 'v'), age);
    write(path + ".json", to_json(recording), age);
    return path;
  }

  std::vector<std::string> media() {
    std::vector<std::string> left;
    for (const auto& file : fs::recursive_directory_iterator(directory_.path())) {
      if (file.path().extension() == ".mp4") left.push_back(file.path().parent_path() / file.path().stem());
    }
    return left;
  }

  std::int64_t segment_ = 0;
};

TEST_F(Retention, RemovesWhatIsTooOldWithItsJson) {
  auto old = record("lobby", 48h);
  auto young = record("lobby", 1h);
  RecordingRetention retention(directory_.path(), {Duration(24h), std::nullopt});
  EXPECT_EQ(retention.apply(now_)->files, 1);
  EXPECT_THAT(media(), ElementsAre(young));
  EXPECT_FALSE(fs::exists(old + ".json"));
  EXPECT_EQ(retention.apply(now_)->files, 0);
  EXPECT_EQ(retention.apply(now_ + 24h)->files, 1);
  EXPECT_THAT(media(), IsEmpty());
}

TEST_F(Retention, RemovesTheOldestBeyondTheBytesWhicheverStreamTheyAreOf) {
  auto a = record("a", 4h);
  auto b = record("b/1", 3h);
  auto c = record("a", 2h);
  RecordingRetention retention(directory_.path(), {std::nullopt, 3000});  // JSON counts as well
  EXPECT_EQ(retention.apply(now_)->files, 1);
  EXPECT_THAT(media(), UnorderedElementsAre(b, c));
  auto d = record("c", 1h);
  EXPECT_EQ(retention.apply(now_)->files, 1);
  EXPECT_THAT(media(), UnorderedElementsAre(c, d));
}

TEST_F(Retention, NeverTouchesWhatItDidNotWrite) {
  auto ours = record("lobby", 48h);
  write(directory_ / "lobby/holiday.mp4", "mine", 48h);
  write(directory_ / "lobby/holiday.json", "{}", 48h);
  write(directory_ / "lobby/2026-11-22T18-30-00.040Z_17-1.mp4", "no JSON yet", 48h);
  write(directory_ / "lobby/2026-11-22T18-30-00.040Z_17-2.mp4", "another's JSON", 48h);
  write(directory_ / "lobby/2026-11-22T18-30-00.040Z_17-2.json", "{}", 48h);
  write(directory_ / "lobby/2026-11-22T18-30-00.040Z_17-3.mp4.part", "being written", 48h);
  Recording escaping;
  escaping.stream = "lobby";
  escaping.file = "../outside.mp4";
  write(directory_ / "outside.mp4", "mine", 48h);
  write(directory_ / "lobby/2026-11-22T18-30-00.040Z_17-4.json", to_json(escaping), 48h);
  Recording elsewhere;
  elsewhere.stream = "yard";
  elsewhere.file = "2026-11-22T18-30-00.040Z_17-5.mp4";
  write(directory_ / "lobby/2026-11-22T18-30-00.040Z_17-5.mp4", "moved here by somebody", 48h);
  write(directory_ / "lobby/2026-11-22T18-30-00.040Z_17-5.json", to_json(elsewhere), 48h);
  auto files = [&] {
    std::size_t count = 0;
    for (const auto& file : fs::recursive_directory_iterator(directory_.path()))
      count += file.is_regular_file();
    return count;
  };
  auto before = files();
  RecordingRetention retention(directory_.path(), {Duration(24h), 0});
  EXPECT_EQ(retention.apply(now_)->files, 1);
  EXPECT_FALSE(fs::exists(ours + ".mp4"));
  EXPECT_EQ(files(), before - 2);
}

TEST_F(Retention, PartsOfTheDeadAreRemovedAndThoseOfTheLivingStay) {
  auto dead = directory_ / "lobby/2026-11-22T18-30-00.040Z_17-1.mp4.part";
  auto alive = directory_ / "lobby/2026-11-22T18-30-00.040Z_17-2.mkv.part";
  auto foreign = directory_ / "lobby/holiday.mp4.part";
  for (const auto& path : {dead, alive, foreign}) write(path, "half");
  int file = ::open(alive.c_str(), O_RDONLY);
  ASSERT_EQ(::flock(file, LOCK_EX), 0);
  EXPECT_EQ(remove_abandoned_parts(directory_.path()), 1);
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(alive));
  EXPECT_TRUE(fs::exists(foreign));
  ::close(file);
}

}  // namespace
}  // namespace gopline::aggregator
