#include "cli/fleet_config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "cli/live_options.h"
#include "cli/source_names.h"
#include "cli/yaml_words.h"
#include "common/base/text.h"
#include "common/record/stream_id.h"

namespace gopline::cli {
namespace {

using yaml::one_of;
using yaml::parsed;
using yaml::truth;
using yaml::word;
using yaml::Wrong;

std::string login_in_file(const YAML::Node& node, const std::string& config) {
  auto path = std::filesystem::path(word(node, "a file"));
  if (path.is_relative()) path = std::filesystem::path(config).parent_path() / path;
  LiveCliOptions options;
  options.credentials = path;
  auto login = source_login(options);
  if (!login) throw Wrong{node.Mark(), login.error().message};
  return **login;
}

std::string login_in_environment(const YAML::Node& node) {
  auto name = word(node, "the name of a variable that holds USER:PASSWORD");
  const char* value = std::getenv(name.c_str());
  if (!value) throw Wrong{node.Mark(), "the environment has no variable " + name};
  if (std::string_view(value).find(':') == std::string_view::npos)
    throw Wrong{node.Mark(), "the variable " + name + " is not USER:PASSWORD"};
  return value;
}

using Setter = std::function<void(CameraConfig&, const YAML::Node&, const std::string& config)>;

// Every word that a camera or the defaults may have.
const std::map<std::string, Setter>& setters() {
  static const std::map<std::string, Setter> kSetters{
      {"segment_duration",
       [](auto& c, const auto& n, const auto&) {
         c.split.segmenter.segment_duration = parsed(n, "a duration, like 2s", parse_duration);
       }},
      {"max_segment_bytes",
       [](auto& c, const auto& n, const auto&) {
         c.split.segmenter.max_segment_bytes = parsed(n, "a size, like 16MiB", parse_bytes);
       }},
      {"max_segment_time",
       [](auto& c, const auto& n, const auto&) {
         c.split.segmenter.max_segment_time = parsed(n, "a duration, like 10s", parse_duration);
       }},
      {"latency",
       [](auto& c, const auto& n, const auto&) {
         c.split.segmenter.latency = one_of<splitter::Latency>(
             n, {{"low", splitter::Latency::kLow}, {"normal", splitter::Latency::kNormal}});
       }},
      {"part_duration",
       [](auto& c, const auto& n, const auto&) {
         c.split.segmenter.part_duration = parsed(n, "a duration, like 300ms", parse_part_duration);
       }},
      {"digest",
       [](auto& c, const auto& n, const auto&) {
         c.split.sha256 = one_of<bool>(n, {{"none", false}, {"sha256", true}});
       }},
      {"rate",
       [](auto& c, const auto& n, const auto&) {
         c.split.rate = one_of<splitter::ReadRate>(
             n, {{"max", splitter::ReadRate::kMax}, {"realtime", splitter::ReadRate::kRealtime}});
       }},
      {"loop", [](auto& c, const auto& n, const auto&) { c.split.loop = truth(n); }},
      {"live", [](auto& c, const auto& n, const auto&) { c.is_live = truth(n); }},
      {"rtsp_transport",
       [](auto& c, const auto& n, const auto&) {
         c.live.transport = one_of<splitter::RtspTransport>(
             n, {{"tcp", splitter::RtspTransport::kTcp}, {"udp", splitter::RtspTransport::kUdp}});
       }},
      {"source_timeout",
       [](auto& c, const auto& n, const auto&) {
         c.live.patience = parsed(n, "a duration, like 10s", parse_duration);
       }},
      {"max_waiting_bytes",
       [](auto& c, const auto& n, const auto&) {
         c.live.max_waiting_bytes = parsed(n, "a size, like 64MiB", parse_bytes);
       }},
      {"spill", [](auto& c, const auto& n, const auto&) { c.live.spill = word(n, "a folder"); }},
      {"spill_bytes", [](auto& c, const auto& n,
                         const auto&) { c.live.spill_bytes = parsed(n, "a size, like 10GiB", parse_bytes); }},
      {"spill_age",
       [](auto& c, const auto& n, const auto&) {
         c.live.spill_age = parsed(n, "a duration, like 24h", parse_duration);
       }},
      {"credentials", [](auto& c, const auto& n, const auto& config) { c.login = login_in_file(n, config); }},
      {"credentials_env", [](auto& c, const auto& n, const auto&) { c.login = login_in_environment(n); }},
      {"input_options",
       [](auto& c, const auto& n, const auto&) {
         if (!n.IsMap()) throw Wrong{n.Mark(), "expected FFmpeg's options, a line NAME: VALUE for each"};
         for (const auto& option : n)
           c.live.input_options.emplace_back(option.first.Scalar(), word(option.second, "a value"));
       }},
  };
  return kSetters;
}

std::string known_words(bool of_camera) {
  std::string names = of_camera ? "source, stream" : "";
  for (const auto& [name, setter] : setters()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

class Parser {
 public:
  Parser(std::string path, const FleetBase& base) : path_(std::move(path)), base_(base), faults_(path_) {}

  Result<std::vector<CameraConfig>> run(const std::string& text) {
    faults_.reading(text, [&](const YAML::Node& document) { take_document(document); });
    if (!faults_.empty()) return faults_.all();
    return std::move(cameras_);
  }

 private:
  void note(const YAML::Mark& mark, std::string_view what) { faults_.note(mark, what); }

  void take_document(const YAML::Node& document) {
    if (!document.IsMap()) return note(document.Mark(), "expected `cameras:` and below it a list of them");
    CameraConfig defaults;
    defaults.split = base_.split;
    defaults.live = base_.live;
    defaults.login = base_.login;
    for (const auto& entry : document) {
      auto name = entry.first.Scalar();
      if (name != "cameras" && name != "defaults")
        note(entry.first.Mark(), fmt::format("there is no '{}': a file has cameras and defaults", name));
    }
    if (const auto& node = document["defaults"]; node) take_words(defaults, node, false);
    const auto& cameras = document["cameras"];
    if (!cameras || !cameras.IsSequence() || cameras.size() == 0)
      return note(document.Mark(), "expected `cameras:` and below it a list of at least one");
    for (const auto& camera : cameras) take_camera(defaults, camera);
  }

  void take_camera(const CameraConfig& defaults, const YAML::Node& node) {
    auto camera = defaults;
    camera.line = node.Mark().line + 1;
    if (!node.IsMap()) return note(node.Mark(), "expected a camera: `source:` and what else is said of it");
    if (!node["source"]) return note(node.Mark(), "this camera has no source");
    faults_.trying([&] { camera.split.source = word(node["source"], "a URL"); });
    camera.split.stream = default_stream_of(camera.split.source);
    if (node["stream"]) faults_.trying([&] { camera.split.stream = word(node["stream"], "a stream's id"); });
    if (auto good = record::check_stream_id(camera.split.stream); !good) {
      note(node.Mark(), good.error().message + "; say `stream:`");
    } else if (!streams_.insert(camera.split.stream).second) {
      note(node.Mark(), fmt::format("there are two cameras for the stream '{}'", camera.split.stream));
    }
    take_words(camera, node, true);
    if (camera.split.segmenter.latency == splitter::Latency::kLow &&
        camera.split.payload.strategy == payload::Strategy::kClaim) {
      note(node.Mark(), "latency: low, and --payload claim: a payload outside of the log leaves whole");
    }
    YAML::Emitter words;
    words << node;
    camera.words = fmt::format("{}\n{}\n{}", defaults_text_, words.c_str(), camera.login.value_or(""));
    cameras_.push_back(std::move(camera));
  }

  void take_words(CameraConfig& into, const YAML::Node& node, bool of_camera) {
    faults_.entries(
        node, "lines NAME: VALUE", [&](const std::string& name, const auto& at, const auto& value) {
          if (of_camera && (name == "source" || name == "stream")) return;
          auto setter = setters().find(name);
          if (setter == setters().end())
            throw Wrong{at.Mark(),
                        fmt::format("there is no '{}'; there are: {}", name, known_words(of_camera))};
          setter->second(into, value, path_);
        });
    if (!node.IsMap()) return;
    if (!of_camera) {
      YAML::Emitter words;
      words << node;
      defaults_text_ = words.c_str();
    }
  }

  std::string path_;
  const FleetBase& base_;
  std::string defaults_text_;
  std::vector<CameraConfig> cameras_;
  std::set<std::string> streams_;
  yaml::Faults faults_;
};

}  // namespace

Result<std::vector<CameraConfig>> parse_fleet_config(const std::string& text, const std::string& path,
                                                     const FleetBase& base) {
  return Parser(path, base).run(text);
}

Result<std::vector<CameraConfig>> read_fleet_config(const std::string& path, const FleetBase& base) {
  std::ifstream file(path);
  if (!file) return fail_errno(errno, path);
  std::ostringstream text;
  text << file.rdbuf();
  return parse_fleet_config(text.str(), path, base);
}

}  // namespace gopline::cli
