#include "cli/source_names.h"

#include <map>

#include "cli/display_width.h"
#include "common/base/text.h"
#include "common/record/stream_id.h"

namespace gopline::cli {

std::string default_stream_of(std::string_view source) {
  if (source == "-") return "stdin";
  bool is_url = source.find("://") != std::string_view::npos;
  if (is_url) source = source.substr(0, source.find_first_of("?#", source.find("://")));
  while (source.size() > 1 && source.ends_with('/')) source.remove_suffix(1);
  // Of pictures the folder has the name: 'line-4/%06d.png', 'line-4/*.jpg'.
  auto last = source.rfind('/');
  bool is_pattern = last != std::string_view::npos && !is_url &&
                    source.substr(last + 1).find_first_of("%*?") != std::string_view::npos;
  if (is_pattern && last > 0) source = source.substr(0, last);
  if (auto slash = source.rfind('/'); slash != std::string_view::npos && source.size() > 1)
    source = source.substr(slash + 1);
  auto dot = source.rfind('.');
  if (dot != std::string_view::npos && dot > 0) source = source.substr(0, dot);
  return std::string(source);
}

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
    auto stream = streams.empty() ? default_stream_of(sources[i]) : streams[i];
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
