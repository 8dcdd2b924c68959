#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/source_names.h"
#include "common/base/result.h"
#include "splitter/images/split_images.h"

namespace CLI {
class App;
}  // namespace CLI

namespace gopline::cli {

// How pictures in files become streams.
struct PictureCliOptions {
  std::string rate;  // "2", "0.5", "30000/1001"; empty: as the files say
  bool follow = false;
  bool new_only = false;
};

void add_picture_options(CLI::App& command, PictureCliOptions& options);

// What the words mean for a source; nullopt: it is no source of pictures.
std::optional<splitter::ImageOptions> image_options_of(const PictureCliOptions& options,
                                                       const std::string& source);

// kInvalidArgument: they do not go with each other, or with these sources. `plays`: --loop or --rate, which
// are of videos.
Result<void> check_picture_options(const PictureCliOptions& options, const std::vector<NamedSource>& sources,
                                   bool plays);

// "2", "0.5", "30000/1001": so many a second, more than none.
std::optional<Rational> parse_rate(const std::string& words);

}  // namespace gopline::cli
