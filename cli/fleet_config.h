#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "splitter/live/live_split.h"
#include "splitter/splitter.h"

namespace gopline::cli {

// A camera of a configuration file (docs/cameras.yaml): its own words over the file's defaults, over the
// command line's.
struct CameraConfig {
  splitter::SplitOptions split;  // with source and stream
  splitter::LiveOptions live;
  bool is_live = true;
  std::optional<std::string> login;  // USER:PASSWORD, where the URL has none
  int line = 0;                      // where it begins in the file

  // Everything that is said of it, in one text: equal texts, nothing to restart. Never shown: it has the
  // password.
  std::string words;
};

// What the command line says, for cameras that do not say otherwise.
struct FleetBase {
  splitter::SplitOptions split;
  splitter::LiveOptions live;
  std::optional<std::string> login;
};

// Reads a file. kInvalidArgument: everything that is wrong with it, a line of text for each, "FILE:LINE:
// ..."; kNotFound, kPermissionDenied: the file, or one with a login.
Result<std::vector<CameraConfig>> read_fleet_config(const std::string& path, const FleetBase& base);

// The same of text in memory; `path` is for messages, and logins' files are sought beside it.
Result<std::vector<CameraConfig>> parse_fleet_config(const std::string& text, const std::string& path,
                                                     const FleetBase& base);

}  // namespace gopline::cli
