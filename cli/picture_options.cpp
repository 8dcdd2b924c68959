#include "cli/picture_options.h"

#include <CLI/CLI.hpp>

#include "cli/display_width.h"
#include "common/base/text.h"

namespace gopline::cli {

std::optional<Rational> parse_rate(const std::string& words) {
  Rational rate{0, 1};
  if (auto fraction = parse_rational(words)) {
    rate = *fraction;
  } else {
    auto point = words.find('.');
    auto digits = words.substr(0, point) + (point == std::string::npos ? "" : words.substr(point + 1));
    auto number = parse_int64(digits);
    constexpr std::size_t kMostDigits = 9;
    if (!number || digits.size() > kMostDigits) return std::nullopt;
    rate.num = *number;
    for (auto i = point == std::string::npos ? words.size() : point + 1; i < words.size(); ++i)
      rate.den *= 10;
  }
  if (rate.num <= 0 || rate.den <= 0) return std::nullopt;
  return rate;
}

void add_picture_options(CLI::App& command, PictureCliOptions& options) {
  command
      .add_option("--fps", options.rate,
                  "Pictures: so many a second, from --start-time on. Else as EXIF or the file's time says")
      ->check([](const std::string& words) {
        return parse_rate(words) ? std::string()
                                 : "'" + words + "': so many a second, like 2, 0.5 or 30000/1001";
      })
      ->type_name("N");
  command.add_flag("--follow", options.follow,
                   "Pictures: go on with those that come into the folder, until Ctrl-C");
  command.add_flag("--new-only", options.new_only, "--follow: pass over those that are there already");
}

std::optional<splitter::ImageOptions> image_options_of(const PictureCliOptions& options,
                                                       const std::string& source) {
  auto files = splitter::picture_files_of(source);
  if (!files) return std::nullopt;
  splitter::ImageOptions images;
  images.files = std::move(*files);
  if (!options.rate.empty()) images.rate = parse_rate(options.rate);
  images.follow = options.follow;
  images.folder.new_only = options.new_only;
  return images;
}

Result<void> check_picture_options(const PictureCliOptions& options, const std::vector<NamedSource>& sources,
                                   bool plays) {
  if (options.new_only && !options.follow)
    return fail(ErrorCode::kInvalidArgument, "--new-only goes with --follow");
  bool is_asked = options.follow || !options.rate.empty();
  for (const auto& source : sources) {
    auto files = splitter::picture_files_of(source.source);
    auto name = printable(without_secrets(source.source));
    if (is_asked && !files)
      return fail(ErrorCode::kInvalidArgument,
                  "{}: --fps and --follow are for pictures: a folder, 'FOLDER/%06d.png' or 'FOLDER/*.jpg'",
                  name);
    if (files && plays)
      return fail(ErrorCode::kInvalidArgument, "{}: --loop and --rate are for videos, and these are pictures",
                  name);
  }
  return {};
}

}  // namespace gopline::cli
