#include "server/api_routes.h"

#include <algorithm>

#include "common/base/text.h"
#include "server/api_json.h"
#include "server/hls_routes.h"
#include "server/timeline.h"

namespace gopline::server {
namespace {

constexpr std::size_t kMostGaps = 2000;  // beyond it nobody sees one from the other
constexpr std::size_t kMostEvents = 2000;
constexpr const char* kJson = "application/json";

Result<Duration> resolution_of(const http::RequestTarget& target) {
  auto text = target.parameter("resolution");
  if (!text) return Duration(0);
  auto duration = parse_duration(*text);
  if (!duration || *duration < Duration(0))
    return fail(ErrorCode::kInvalidArgument, "resolution is not a duration: write it like 2s or 500ms");
  return duration;
}

}  // namespace

Result<http::Response> ApiRoutes::answer(const http::RequestTarget& target, const Viewer& viewer,
                                         const StopToken& stop) {
  const auto& path = target.path;
  if (path.size() == 2 && path[1] == "streams") return streams(viewer);
  if (path.size() == 2 && path[1] == "health") return health(viewer);
  if (path.size() == 4 && path[1] == "streams" && (path[3] == "timeline" || path[3] == "events")) {
    if (!viewer.may_view(path[2])) return fail(ErrorCode::kPermissionDenied, "{}: not yours to see", path[2]);
    return path[3] == "events" ? found(path[2], target) : timeline(path[2], target, stop);
  }
  return fail(ErrorCode::kNotFound, "there is no such part of the API; /api/openapi.json says what there is");
}

http::Response ApiRoutes::streams(const Viewer& viewer) const {
  auto streams = catalog_.streams();
  std::erase_if(streams, [&](const auto& stream) { return !viewer.may_view(stream.state.stream); });
  return http::respond(200, kJson, streams_json(streams, clock_.now(), transcodes_));
}

// What the log says of itself names machines and folders.
http::Response ApiRoutes::health(const Viewer& viewer) const {
  auto health = catalog_.health();
  if (!viewer.is_admin()) health.problem.clear();
  return http::respond(200, kJson, health_json(health, clock_.now()));
}

Result<http::Response> ApiRoutes::found(const std::string& stream, const http::RequestTarget& target) {
  GOPLINE_ASSIGN(auto from, time_parameter(target, "from"));
  GOPLINE_ASSIGN(auto to, time_parameter(target, "to"));
  if (from && to && *from >= *to)
    return fail(ErrorCode::kNotFound, "from is not before to: nothing lies between them");
  GOPLINE_TRY(catalog_.find(stream));
  return http::respond(200, kJson, found_json(stream, found_.between(stream, from, to, kMostEvents)));
}

Result<http::Response> ApiRoutes::timeline(const std::string& stream, const http::RequestTarget& target,
                                           const StopToken& stop) {
  GOPLINE_ASSIGN(auto from, time_parameter(target, "from"));
  GOPLINE_ASSIGN(auto to, time_parameter(target, "to"));
  if (from && to && *from >= *to)
    return fail(ErrorCode::kNotFound, "from is not before to: nothing lies between them");
  GOPLINE_ASSIGN(auto resolution, resolution_of(target));
  GOPLINE_ASSIGN(auto view, catalog_.find(stream));
  GOPLINE_ASSIGN(auto segments, catalog_.segments(stream, from, stop));
  auto rows = segments->between(from, to);
  auto timeline = timeline_of(rows, resolution);
  while (timeline.gaps.size() > kMostGaps) {
    resolution = std::max(2 * resolution, Duration(std::chrono::seconds(1)));
    timeline = timeline_of(rows, resolution);
  }
  // Only the segments behind gaps are looked at for why.
  std::vector<SegmentRow> behind;
  for (const auto& gap : timeline.gaps) behind.push_back(rows[gap.before]);
  GOPLINE_ASSIGN(auto entries, entries_.get(view.state.partition, behind, stop));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i]) explain(timeline.gaps[i], *entries[i]);
  }
  return http::respond(200, kJson, timeline_json(stream, timeline));
}

}  // namespace gopline::server
