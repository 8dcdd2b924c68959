#include "analyzer/objects/objects_analyzer.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>

#include "analyzer/objects/detector.h"
#include "analyzer/presence.h"
#include "analyzer/seer.h"

namespace gopline::analyzer {
namespace {

struct ObjectsOptions {
  std::string model;
  OutputLayout layout = OutputLayout::kFastestDet;
  std::vector<std::string> names;             // of classes, by their number
  std::map<std::string, double> least_score;  // of the classes that are looked for; none: all
  double score = 0.6;                         // of those that have none of their own
  double most_overlap = 0.3;
  PresenceOptions presence;
};

class NetworkSeer final : public Seer {
 public:
  NetworkSeer(const ObjectsOptions& options, std::unique_ptr<Detector> detector)
      : options_(options), detector_(std::move(detector)) {
    for (const auto& [name, score] : options.least_score) least_score_ = std::min(least_score_, score);
  }

  Result<std::vector<Sighting>> look(const media::Picture& picture) override {
    GOPLINE_ASSIGN(auto raw, detector_->look(picture, least_score_));
    std::vector<Sighting> sightings;
    for (const auto& one : raw) {
      if (auto name = name_of(one); is_wanted(name, one.score))
        sightings.push_back({std::move(name), one.score, one.box});
    }
    return best_of(std::move(sightings), options_.most_overlap);
  }

 private:
  std::string name_of(const RawSighting& one) const {
    auto number = static_cast<std::size_t>(one.class_number);
    return number < options_.names.size() ? options_.names[number] : std::to_string(number);
  }

  bool is_wanted(const std::string& name, double score) const {
    if (options_.least_score.empty()) return true;
    auto found = options_.least_score.find(name);
    return found != options_.least_score.end() && score >= found->second;
  }

  const ObjectsOptions& options_;
  std::unique_ptr<Detector> detector_;
  double least_score_ = options_.least_score.empty() ? options_.score : 1;
};

class ObjectsKind final : public AnalyzerKind {
 public:
  ObjectsKind(ObjectsOptions options, record::AnalyzerIdentity identity, Wishes wishes)
      : AnalyzerKind(std::move(identity), wishes), options_(std::move(options)) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    GOPLINE_ASSIGN(auto seer, make_seer());
    return make_following_analyzer(options_.presence, std::move(seer));
  }
  Result<std::unique_ptr<Analyzer>> make_for_stills() const override {
    GOPLINE_ASSIGN(auto seer, make_seer());
    return make_still_analyzer(options_.presence, std::move(seer));
  }

 private:
  Result<std::unique_ptr<Seer>> make_seer() const {
    GOPLINE_ASSIGN(auto detector, Detector::load(options_.model, options_.layout));
    return std::make_unique<NetworkSeer>(options_, std::move(detector));
  }

  const ObjectsOptions options_;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

// "person", or "person@0.6".
void read_classes(OptionReader& reader, ObjectsOptions& options) {
  for (const auto& text : reader.all("class")) {
    auto at = text.find('@');
    auto score = options.score;
    if (at != std::string::npos) {
      const auto* end = text.data() + text.size();
      auto [stopped, failed] = std::from_chars(text.data() + at + 1, end, score);
      if (failed != std::errc{} || stopped != end || !(score >= 0 && score <= 1))
        reader.complain("class", "'" + text + "' is not NAME or NAME@SCORE, with a score from 0 to 1");
    }
    options.least_score[text.substr(0, at)] = score;
  }
}

}  // namespace

Result<std::unique_ptr<AnalyzerKind>> make_objects_kind(const Specification& specification) {
  OptionReader reader(specification);
  ObjectsOptions options;
  options.model = reader.file("model", "");
  if (options.model.empty()) reader.complain("model", "which network? write model=FILE.onnx");
  options.names = lines_of(reader.file("names", ""));
  options.score = reader.number("score", options.score, 0, 1);
  options.most_overlap = reader.number("overlap", options.most_overlap, 0, 1);
  read_classes(reader, options);
  auto layout = reader.word("layout", {"auto", "fastestdet", "yolo5", "yolo8"});
  auto [width, height] = reader.size("size", {352, 352});
  if (width == 0 || height == 0) reader.complain("size", "a network has pictures of one size: WIDTHxHEIGHT");
  Wishes wishes;
  wishes.picture = {media::PixelFormat::kBgr24, width, height};
  options.presence = read_presence(reader, wishes);
  GOPLINE_TRY(reader.finish());
  cv::setNumThreads(1);  // workers are what there is one of for each core
  if (auto known = output_layout_from(layout)) {
    options.layout = *known;
  } else {
    GOPLINE_ASSIGN(options.layout, Detector::try_layout(options.model, width, height));
  }
  return std::make_unique<ObjectsKind>(std::move(options),
                                       record::AnalyzerIdentity{"objects", "1", reader.digest()}, wishes);
}

}  // namespace gopline::analyzer
