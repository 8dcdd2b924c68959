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

class ObjectsAnalyzer : public Analyzer {
 public:
  ObjectsAnalyzer(const ObjectsOptions& options, std::unique_ptr<Detector> detector)
      : options_(options), detector_(std::move(detector)), presence_(options.presence) {
    for (const auto& [name, score] : options.least_score) least_score_ = std::min(least_score_, score);
  }

  Result<void> take(const Frame& frame, FindingSink& sink) override {
    GOPLINE_ASSIGN(auto sightings, sightings_in(frame));
    presence_.step(frame, std::move(sightings), sink);
    return {};
  }

  Result<void> finish(FindingSink& sink) override {
    presence_.finish(sink);
    return {};
  }

 protected:
  Result<std::vector<Sighting>> sightings_in(const Frame& frame) {
    GOPLINE_ASSIGN(auto raw, detector_->look(frame.picture, least_score_));
    std::erase_if(raw, [&](const RawSighting& one) { return !is_wanted(one); });
    std::vector<Sighting> sightings;
    for (const auto& one : best_of(std::move(raw), options_.most_overlap))
      sightings.push_back({name_of(one), one.score, one.box});
    return sightings;
  }

  const ObjectsOptions& options_;

 private:
  std::string name_of(const RawSighting& one) const {
    auto number = static_cast<std::size_t>(one.class_number);
    return number < options_.names.size() ? options_.names[number] : std::to_string(number);
  }

  bool is_wanted(const RawSighting& one) const {
    if (options_.least_score.empty()) return true;
    auto found = options_.least_score.find(name_of(one));
    return found != options_.least_score.end() && one.score >= found->second;
  }

  std::unique_ptr<Detector> detector_;
  Presence presence_;
  double least_score_ = options_.least_score.empty() ? options_.score : 1;
};

// What is in single pictures: nothing is followed, and nothing has to be seen for a while.
class StillObjects final : public ObjectsAnalyzer {
 public:
  using ObjectsAnalyzer::ObjectsAnalyzer;

  Result<void> take(const Frame& frame, FindingSink& sink) override {
    GOPLINE_ASSIGN(auto sightings, sightings_in(frame));
    std::int64_t object = 0;
    for (const auto& one : sightings) {
      Finding finding;
      finding.object = object++;
      finding.class_name = one.class_name;
      finding.score = one.score;
      finding.box = one.box;
      if (is_in_zone(one, finding.zone)) sink.tell(std::move(finding));
    }
    return {};
  }
  Result<void> finish(FindingSink&) override { return {}; }

 private:
  bool is_in_zone(const Sighting& one, std::string& zone) const {
    const auto& zones = options_.presence.zones;
    Corner stands{one.box.x + one.box.width / 2, one.box.y + one.box.height};
    auto found = std::ranges::find_if(zones, [&](const Zone& each) { return contains(each, stands); });
    if (found == zones.end()) return zones.empty();
    zone = found->name;
    return true;
  }
};

class ObjectsKind final : public AnalyzerKind {
 public:
  ObjectsKind(ObjectsOptions options, record::AnalyzerIdentity identity, Wishes wishes)
      : AnalyzerKind(std::move(identity), wishes), options_(std::move(options)) {}
  Result<std::unique_ptr<Analyzer>> make(const std::string&) const override {
    GOPLINE_ASSIGN(auto detector, Detector::load(options_.model, options_.layout));
    return std::make_unique<ObjectsAnalyzer>(options_, std::move(detector));
  }
  Result<std::unique_ptr<Analyzer>> make_for_stills() const override {
    GOPLINE_ASSIGN(auto detector, Detector::load(options_.model, options_.layout));
    return std::make_unique<StillObjects>(options_, std::move(detector));
  }

 private:
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
