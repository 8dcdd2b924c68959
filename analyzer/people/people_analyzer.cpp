#include "analyzer/people/people_analyzer.h"

#include <cstdint>
#include <utility>
#include <vector>

#include <opencv2/objdetect.hpp>

#include "analyzer/people/hog_window.h"
#include "analyzer/presence.h"
#include "analyzer/seer.h"

namespace gopline::analyzer {
namespace {

struct PeopleOptions {
  double smallest = 0.15, largest = 1;  // of the picture's height
  double step = 1.1;
  double score = 0.7;
  double most_overlap = 0.3;
  PresenceOptions presence;
};

class HogSeer final : public Seer {
 public:
  explicit HogSeer(const PeopleOptions& options) : options_(options) {
    hog_.setSVMDetector(cv::HOGDescriptor::getDefaultPeopleDetector());
    hog_.nlevels = hog_levels(options.smallest, options.largest, options.step);
  }

  Result<std::vector<Sighting>> look(const media::Picture& picture) override {
    if (picture.width() < kHogWindowWidth || picture.height() < kHogWindowHeight)
      return std::vector<Sighting>();
    try {
      return best_of(people_in(picture), options_.most_overlap);
    } catch (const cv::Exception& error) {
      return fail(ErrorCode::kInternal, "people: OpenCV: {}", error.what());
    }
  }

 private:
  std::vector<Sighting> people_in(const media::Picture& picture) {
    auto plane = picture.plane(0);
    // A view of what was scaled; nobody writes to it.
    cv::Mat view(picture.height(), picture.width(), CV_8UC1, const_cast<std::uint8_t*>(plane.data),
                 static_cast<std::size_t>(plane.stride));
    // Half of a window's margin: people at the picture's edge are seen, and windows stay on the grid of
    // blocks.
    static const cv::Size kStride(8, 8), kPadding(8, 8);
    constexpr double kUngrouped = 0;
    hog_.detectMultiScale(view, windows_, distances_, hog_distance(options_.score), kStride, kPadding,
                          options_.step, kUngrouped);
    std::vector<Sighting> people;
    for (std::size_t i = 0; i < windows_.size(); ++i) {
      const auto& at = windows_[i];
      HogWindow window{static_cast<double>(at.x), static_cast<double>(at.y), static_cast<double>(at.width),
                       static_cast<double>(at.height)};
      people.push_back(
          {"person", hog_score(distances_[i]), person_in(window, picture.width(), picture.height())});
    }
    return people;
  }

  const PeopleOptions& options_;
  cv::HOGDescriptor hog_;
  std::vector<cv::Rect> windows_;
  std::vector<double> distances_;
};

class PeopleKind final : public AnalyzerKind {
 public:
  PeopleKind(PeopleOptions options, record::AnalyzerIdentity identity, Wishes wishes)
      : AnalyzerKind(std::move(identity), wishes), options_(std::move(options)) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    return make_following_analyzer(options_.presence, std::make_unique<HogSeer>(options_));
  }
  Result<std::unique_ptr<Analyzer>> make_for_stills() const override {
    return make_still_analyzer(options_.presence, std::make_unique<HogSeer>(options_));
  }

 private:
  const PeopleOptions options_;
};

}  // namespace

Result<std::unique_ptr<AnalyzerKind>> make_people_kind(const Specification& specification) {
  OptionReader reader(specification);
  PeopleOptions options;
  options.smallest = reader.number("smallest", options.smallest, 0.05, 0.75);
  options.largest = reader.number("largest", options.largest, 0.05, 1);
  if (options.largest < options.smallest) reader.complain("largest", "is less than smallest");
  options.step = reader.number("step", options.step, 1.01, 2);
  options.score = reader.number("score", options.score, 0.05, 0.99);
  options.most_overlap = reader.number("overlap", options.most_overlap, 0, 1);
  Wishes wishes;
  wishes.picture = {media::PixelFormat::kGray8, 0, hog_picture_height(options.smallest)};
  options.presence = read_presence(reader, wishes);
  GOPLINE_TRY(reader.finish());
  cv::setNumThreads(1);  // workers are what there is one of for each core
  return std::make_unique<PeopleKind>(std::move(options),
                                      record::AnalyzerIdentity{"people", "1", reader.digest()}, wishes);
}

}  // namespace gopline::analyzer
