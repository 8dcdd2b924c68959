#include "server/site.h"

#include <algorithm>
#include <exception>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/http/request_target.h"
#include "server/api_json.h"
#include "server/api_routes.h"
#include "server/assets.h"
#include "server/clip_routes.h"
#include "server/entry_cache.h"
#include "server/entry_finder.h"
#include "server/found_events.h"
#include "server/heard_parts.h"
#include "server/heard_segments.h"
#include "server/hls_routes.h"
#include "server/live_events.h"
#include "server/seen_segments.h"
#include "server/segment_store.h"
#include "server/session_routes.h"
#include "server/snapshots.h"

namespace gopline::server {
namespace {

using http::Answer;
using http::Request;
using http::RequestTarget;
using http::Response;

// Nothing from elsewhere, no inline script or style; video comes from blobs that the player makes.
constexpr const char* kContentSecurity =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' "
    "blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'";
constexpr const char* kComeBackOverTls = "max-age=31536000";  // RFC 6797: a year

void add_usual_headers(const SiteOptions& options, const Request& request, Response& response) {
  auto policy = std::string(kContentSecurity);
  if (!options.blob_origin.empty()) policy += " " + options.blob_origin;
  response.headers.emplace_back("Content-Security-Policy", std::move(policy));
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
  if (options.over_tls) response.headers.emplace_back("Strict-Transport-Security", kComeBackOverTls);
  options.cross_origin.add_headers(request, response);
}

unsigned status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return 400;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kCorrupt:
      return 410;
    case ErrorCode::kUnsupported:
      return 415;
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return 503;
    default:
      return 500;
  }
}

Response error_response(const Error& error) {
  return http::respond(status_of(error), "application/json", error_json(error.message) + "\n");
}

// Not "Basic", to which a browser would open a window of its own.
Response who_are_you(const Error& error) {
  auto response = http::respond(401, "application/json", error_json(error.message) + "\n");
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"gopline\"");
  return response;
}

bool is_at(const RequestTarget& target, std::string_view first, std::string_view second) {
  return target.path.size() == 2 && target.path[0] == first && target.path[1] == second;
}

// What is no question: it changes something, or makes something that is worth having.
bool is_deed(const RequestTarget& target) {
  return is_at(target, "api", "login") || is_at(target, "api", "logout") || is_at(target, "api", "links");
}

Response asset_response(const Asset& asset) {
  Response response;
  response.content_type = asset.content_type;
  response.cache_control = "no-cache";
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", asset.digest));
  std::span bytes(reinterpret_cast<const std::uint8_t*>(asset.bytes.data()), asset.bytes.size());
  response.body = BufferChain(Buffer(nullptr, bytes));  // lives as long as the program
  return response;
}

Result<int> width_parameter(const RequestTarget& target) {
  constexpr std::int64_t kLeast = 16, kMost = 4096;
  auto text = target.parameter("width");
  if (!text) return 0;
  auto width = parse_int64(*text);
  if (!width || *width < kLeast || *width > kMost)
    return fail(ErrorCode::kInvalidArgument, "width is a number of pixels, {} to {}", kLeast, kMost);
  return static_cast<int>(*width);
}

Response snapshot_response(const Snapshot& snapshot, bool is_of_a_time) {
  Response response;
  response.content_type = "image/jpeg";
  response.cache_control = is_of_a_time ? "private, max-age=3600" : "no-cache";
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", snapshot.tag));
  response.headers.emplace_back("Capture-Time", format_rfc3339(snapshot.time));
  response.body = BufferChain(snapshot.jpeg);
  return response;
}

const Asset* find_asset(const RequestTarget& target) {
  std::string path;
  for (const auto& segment : target.path) path += (path.empty() ? "" : "/") + segment;
  if (path.empty()) path = "index.html";
  auto all = assets();
  auto found = std::find_if(all.begin(), all.end(), [&](const Asset& asset) { return asset.path == path; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

class Site::Parts {
 public:
  Parts(StreamCatalog& catalog, payload::BlobSource& blobs, const Access& access, AuditLog& audit,
        const Clock& clock, const SiteOptions& options)
      : options_(options),
        access_(access),
        clock_(clock),
        audit_(audit),
        entries_(catalog.log(), catalog.topics().index),
        segments_(catalog.log(), catalog.topics().segments, blobs, options.cache_bytes),
        finder_(catalog, entries_),
        edge_(catalog, entries_, segments_, clock),
        heard_(segments_, clock, options.metrics),
        heard_parts_(heard_, finder_, segments_),
        seen_(segments_, finder_, heard_, clock, options.metrics),
        hls_(catalog, entries_, finder_, segments_, options.transcodes ? &heard_ : nullptr,
             options.transcodes ? &heard_parts_ : nullptr, options.transcodes ? &seen_ : nullptr, edge_,
             options.redirect_blobs),
        snapshots_(catalog, entries_, segments_),
        clips_(catalog.log(), blobs, [this](auto task) { boost::asio::post(workers_, std::move(task)); }),
        found_(catalog.log(), catalog.topics()),
        api_(catalog, entries_, found_, clock, options.transcodes),
        sessions_(access, audit, clock, options.secure_cookies),
        events_(catalog, clock, options.transcodes),
        workers_(options.workers) {}

  void handle(const Request& request, const Answer& give) {
    auto target = http::parse_request_target(request.target);
    auto kind = target ? kind_of(*target) : RequestKind::kOther;
    auto answer = [this, give, request, kind, asked = clock_.steady_now()](Response made) {
      add_usual_headers(options_, request, made);
      auto response = http::as_asked(request, std::move(made));
      auto waited = clock_.steady_now() - asked;
      options_.metrics.count(kind, response, std::chrono::duration_cast<Duration>(waited));
      give(std::move(response));
    };
    if (!target) return answer(error_response(target.error()));
    if (auto refused = refusal_of(request, *target)) return answer(std::move(*refused));
    if (const auto* asset = find_asset(*target)) return answer(asset_response(*asset));
    if (target->path == std::vector<std::string>{"healthz"}) return answer(http::refuse(200, "ok"));
    if (is_at(*target, "api", "login"))
      return later(answer, [this, request] { return sessions_.log_in(request); });
    if (is_at(*target, "api", "logout")) return answer(sessions_.log_out());
    auto viewer = access_.admit(request, *target);
    if (!viewer) return answer(who_are_you(viewer.error()));
    if (is_at(*target, "api", "events")) return answer(listen(request, *viewer));
    Asked asked{std::move(*target), std::move(*viewer), request};
    if (hls_.is_transcoded(asked.target) && asked.viewer->may_view(asked.target.path[1]))
      return boost::asio::post(workers_, [this, answer, asked] { give_transcoded(asked, answer); });
    auto go = [this, answer, asked] { later(answer, [this, asked] { return route(asked); }); };
    if (!may_wait(asked)) return go();
    boost::asio::post(workers_, [this, asked, go] { hls_.when_there(asked.target, go, stop_.get_token()); });
  }

  void stop() {
    stop_.request_stop();
    events_.stop();
    edge_.stop();
    found_.stop();
    workers_.join();
    seen_.stop();
  }

 private:
  struct Asked {
    RequestTarget target;
    ViewerPtr viewer;
    Request request;
  };

  // Whether it is for something that is there only in a moment.
  static bool may_wait(const Asked& asked) {
    const auto& path = asked.target.path;
    return path.size() >= 3 && path[0] == "streams" && (path[2] == "live.m3u8" || path[2] == "parts") &&
           asked.viewer->may_view(path[1]);
  }

  // What is refused whoever asks.
  std::optional<Response> refusal_of(const Request& request, const RequestTarget& target) const {
    auto host = request.header("Host");
    if (options_.loopback_only && access_.is_open() && host && !is_loopback_host(*host))
      return http::refuse(403, "this server answers to localhost only; --users and --listen open it");
    if (auto preflight = options_.cross_origin.preflight(request)) return preflight;
    bool is_read = request.method == "GET" || request.method == "HEAD";
    const char* allowed = is_deed(target) ? "POST" : "GET, HEAD";
    if (is_deed(target) ? request.method != "POST" : !is_read) {
      auto refused = http::refuse(405, fmt::format("what is answered here is {}", allowed));
      refused.headers.emplace_back("Allow", allowed);
      return refused;
    }
    if (!is_read && !is_from_here(request) && !options_.cross_origin.trusts(request))
      return http::refuse(403, "a page of another site asked for this");
    return std::nullopt;
  }

  // Answers on a thread that may wait for the log. An exception is a bug, and ends nothing but this answer.
  template <typename Answering, typename Make>
  void later(Answering answer, Make make) {
    boost::asio::post(workers_, [this, answer, make = std::move(make)] {
      if (stop_.stop_requested()) return;
      try {
        Result<Response> response = make();
        answer(response ? std::move(*response) : error_response(response.error()));
      } catch (const std::exception& thrown) {
        answer(error_response({ErrorCode::kInternal, thrown.what()}));
      }
    });
  }

  // Whoever transcodes it answers, so that nobody waits for that but the client.
  template <typename Answering>
  void give_transcoded(const Asked& asked, Answering answer) {
    if (stop_.stop_requested()) return;
    const auto& path = asked.target.path;
    try {
      hls_.transcoded(path[1], path[3], asked.request.gone, stop_.get_token(),
                      [this, asked, answer](Result<ServedMedia> served) {
                        if (!served) return answer(error_response(served.error()));
                        answer(given(asked, std::move(*served)));
                      });
    } catch (const std::exception& thrown) {
      answer(error_response({ErrorCode::kInternal, thrown.what()}));
    }
  }

  Response given(const Asked& asked, ServedMedia served) {
    audit_.note_view(asked.viewer->name(), asked.request.peer, asked.target.path[1], served.time);
    return std::move(served.response);
  }

  Response listen(const Request& request, const ViewerPtr& viewer) {
    Response response;
    response.content_type = "text/event-stream";
    if (request.method == "GET") response.stream = events_.listen(viewer);
    return response;
  }

  Result<Response> route(const Asked& asked) {
    const auto& path = asked.target.path;
    if (is_at(asked.target, "api", "me")) return sessions_.me(*asked.viewer);
    if (is_at(asked.target, "api", "links"))
      return sessions_.link(asked.target, *asked.viewer, asked.request.peer);
    if (!path.empty() && path[0] == "api") return api_.answer(asked.target, *asked.viewer, stop_.get_token());
    if (path.size() >= 3 && path[0] == "streams") {
      if (!asked.viewer->may_view(path[1]))
        return fail(ErrorCode::kPermissionDenied, "{}: not yours to see", path[1]);
      return route_stream(path[1], asked);
    }
    return nothing_here();
  }

  Result<Response> route_stream(const std::string& stream, const Asked& asked) {
    const auto& path = asked.target.path;
    const auto& viewer = *asked.viewer;
    auto stop = stop_.get_token();
    if (path.size() == 3 && path[2] == "watch.m3u8") return hls_.watch(stream, asked.target, viewer, stop);
    if (path.size() == 3 && path[2] == "hls.m3u8") return hls_.recorded(stream, asked.target, viewer, stop);
    if (path.size() == 3 && path[2] == "live.m3u8") return hls_.live(stream, asked.target, viewer, stop);
    if (path.size() == 3 && path[2] == "clip.mp4") return clip(stream, asked, false);
    if (path.size() == 3 && path[2] == "clip.json") return clip(stream, asked, true);
    if (path.size() == 3 && path[2] == "snapshot.jpg") return snapshot(stream, asked);
    if (path.size() == 4 && path[2] == "init") return hls_.init(stream, path[3], stop);
    if (path.size() != 4) return nothing_here();
    GOPLINE_ASSIGN(auto served, media(stream, asked, stop));
    return given(asked, std::move(served));
  }

  Result<ServedMedia> media(const std::string& stream, const Asked& asked, const StopToken& stop) {
    const auto& kind = asked.target.path[2];
    const auto& file = asked.target.path[3];
    if (kind == "parts") return hls_.part(stream, file, stop);
    if (kind == "segments") return hls_.segment(stream, file, stop);
    // A presigned address is for GET alone.
    if (kind == "stored") return hls_.stored(stream, file, asked.request.method == "GET", stop);
    return nothing_here();
  }

  static tl::unexpected<Error> nothing_here() {
    return fail(ErrorCode::kNotFound,
                "there is nothing at this address; /api/openapi.json says what there is");
  }

  Result<Response> snapshot(const std::string& stream, const Asked& asked) {
    GOPLINE_ASSIGN(auto at, time_parameter(asked.target, "at"));
    GOPLINE_ASSIGN(auto width, width_parameter(asked.target));
    GOPLINE_ASSIGN(auto picture, snapshots_.get(stream, at, width, stop_.get_token()));
    // One that somebody chose is a deed; the newest ones are what a wall of cameras shows.
    if (at)
      GOPLINE_TRY(
          audit_.write({"snapshot", asked.viewer->name(), asked.request.peer, stream, picture->time, {}}));
    if (!at) audit_.note_view(asked.viewer->name(), asked.request.peer, stream, picture->time);
    return snapshot_response(*picture, at.has_value());
  }

  Result<Response> clip(const std::string& stream, const Asked& asked, bool is_facts) {
    if (!asked.viewer->may_export(stream))
      return fail(ErrorCode::kPermissionDenied, "{}: not yours to export", stream);
    GOPLINE_ASSIGN(auto from, time_parameter(asked.target, "from"));
    GOPLINE_ASSIGN(auto to, time_parameter(asked.target, "to"));
    if (!from || !to) return fail(ErrorCode::kInvalidArgument, "a clip wants from and to, two times");
    if (*from >= *to) return fail(ErrorCode::kNotFound, "from is not before to: nothing lies between them");
    ClipRequest clip{options_.topic_namespace, stream, *from, *to};
    if (is_facts) return clips_.facts(clip, stop_.get_token());
    GOPLINE_ASSIGN(auto response, clips_.clip(clip, asked.request, stop_.get_token()));
    // What cannot be written down is not given away.
    GOPLINE_TRY(audit_.write({"export", asked.viewer->name(), asked.request.peer, stream, from, to}));
    return response;
  }

  const SiteOptions options_;
  const Access& access_;
  const Clock& clock_;
  AuditLog& audit_;
  EntryCache entries_;
  SegmentStore segments_;
  EntryFinder finder_;
  LiveEdge edge_;
  HeardSegments heard_;
  HeardParts heard_parts_;
  SeenSegments seen_;
  HlsRoutes hls_;
  Snapshots snapshots_;
  ClipRoutes clips_;
  FoundEvents found_;
  ApiRoutes api_;
  SessionRoutes sessions_;
  StopSource stop_;
  LiveEvents events_;
  boost::asio::thread_pool workers_;
};

Site::Site(StreamCatalog& catalog, payload::BlobSource& blobs, const Access& access, AuditLog& audit,
           const Clock& clock, const SiteOptions& options)
    : parts_(std::make_unique<Parts>(catalog, blobs, access, audit, clock, options)) {}

Site::~Site() {
  stop();
}

http::Handler Site::handler() {
  return [parts = parts_.get()](const Request& request, const Answer& answer) {
    parts->handle(request, answer);
  };
}

void Site::stop() {
  parts_->stop();
}

}  // namespace gopline::server
