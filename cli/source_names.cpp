#include "cli/source_names.h"

#include <map>

#include "cli/display_width.h"
#include "common/base/text.h"
#include "common/record/stream_id.h"
#include "splitter/images/picture_files.h"

namespace gopline::cli {

std::string default_stream_of(std::string_view source) {
  if (source == "-") return "stdin";
  bool is_url = source.find("://") != std::string_view::npos;
  if (is_url) source = source.substr(0, source.find_first_of("?#", source.find("://")));
  while (source.size() > 1 && source.ends_with('/')) source.remove_suffix(1);
  if (auto slash = source.rfind('/'); slash != std::string_view::npos && source.size() > 1)
    source = source.substr(slash + 1);
  auto dot = source.rfind('.');
  if (dot != std::string_view::npos && dot > 0) source = source.substr(0, dot);
  return std::string(source);
}

namespace {

// Pictures that a pattern chooses have their folder's name.
std::string named_by(const std::string& source) {
  using Kind = splitter::PictureFiles::Kind;
  auto files = splitter::picture_files_of(source);
  bool is_pattern = files && (files->kind == Kind::kNumbered || files->kind == Kind::kPattern);
  return is_pattern ? files->folder : source;
}

}  // namespace

Result<std::vector<NamedSource>> name_sources(const std::vector<std::string>& sources,
                                              const std::vector<std::string>& streams) {
  if (!streams.empty() && streams.size() != sources.size()) {
    return fail(
        ErrorCode::kInvalidArgument,
        "{} sources but {} stream ids: give --stream once for each source, in the same order, or not at all",
        sources.size(), streams.size());
  }
  std::vector<NamedSource> named;
  std::map<std::string, std::string> source_of;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto stream = streams.empty() ? default_stream_of(named_by(sources[i])) : streams[i];
    if (auto good = record::check_stream_id(stream); !good) {
      return fail(ErrorCode::kInvalidArgument, "{}: {}; name it with --stream",
                  printable(without_secrets(sources[i])), good.error().message);
    }
    auto [other, is_new] = source_of.emplace(stream, sources[i]);
    if (!is_new) {
      return fail(ErrorCode::kInvalidArgument,
                  "'{}' and '{}' would both go into the stream '{}': give --stream once for each source, in "
                  "the same order",
                  printable(without_secrets(other->second)), printable(without_secrets(sources[i])),
                  printable(stream));
    }
    named.push_back({sources[i], stream});
  }
  return named;
}

}  // namespace gopline::cli
