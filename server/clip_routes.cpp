#include "server/clip_routes.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "common/base/text.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostKnown = 64;

// What every file system takes.
std::string file_name_of(const ClipRequest& clip) {
  auto name = clip.stream + "-" + format_rfc3339(clip.from).substr(0, 19);
  for (auto& c : name) {
    bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    if (!is_plain) c = '_';
  }
  return name + ".mp4";
}

}  // namespace

ClipRoutes::FactsPtr ClipRoutes::known(const std::string& tag) {
  std::lock_guard lock(mutex_);
  auto found = std::find_if(known_.begin(), known_.end(), [&](const auto& one) { return one.first == tag; });
  return found == known_.end() ? nullptr : found->second;
}

Result<ClipRoutes::FactsPtr> ClipRoutes::survey(const ClipRequest& clip, const StopToken& stop) {
  GOPLINE_ASSIGN(auto source, ClipSource::open(log_, blobs_, clip, run_, stop));
  auto tag = source->tag();
  if (auto facts = known(tag); facts && !tag.empty()) return facts;
  GOPLINE_ASSIGN(auto made, source->survey());
  auto facts = std::make_shared<const ClipFacts>(std::move(made));
  std::lock_guard lock(mutex_);
  if (!tag.empty()) known_.emplace_front(tag, facts);
  if (known_.size() > kMostKnown) known_.pop_back();
  return facts;
}

Result<http::Response> ClipRoutes::clip(const ClipRequest& clip, const http::Request& request,
                                        const StopToken& stop) {
  GOPLINE_ASSIGN(auto source, ClipSource::open(log_, blobs_, clip, run_, stop));
  http::Response response;
  response.content_type = "video/mp4";
  response.headers.emplace_back("Content-Disposition",
                                fmt::format("attachment; filename=\"{}\"", file_name_of(clip)));
  if (auto bytes = source->expected_bytes(); bytes > 0)
    response.headers.emplace_back("Expected-Size", std::to_string(bytes));
  if (!source->tag().empty()) {
    auto tag = fmt::format("\"{}\"", source->tag());
    response.headers.emplace_back("ETag", tag);
    response.headers.emplace_back("Accept-Ranges", "bytes");
    auto facts = known(source->tag());
    if (!facts && http::asks_for_range(request, tag)) {
      GOPLINE_ASSIGN(facts, survey(clip, stop));
    }
    if (facts) response.stream_size = facts->size;
  }
  response.stream = std::move(source);
  return response;
}

Result<http::Response> ClipRoutes::facts(const ClipRequest& clip, const StopToken& stop) {
  GOPLINE_ASSIGN(auto facts, survey(clip, stop));
  return http::respond(200, "application/json", to_json(clip, *facts));
}

}  // namespace gopline::server
