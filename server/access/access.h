#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/http/message.h"
#include "common/http/request_target.h"

namespace gopline::server {

// Who asks, and what is theirs to see.
class Viewer {
 public:
  virtual ~Viewer() = default;
  virtual std::string name() const = 0;  // for the audit log
  virtual bool may_view(const std::string& stream) const = 0;
  virtual bool may_export(const std::string& stream) const = 0;  // clips, and links for others
  virtual bool is_admin() const { return false; }                // metrics
  virtual std::string_view role() const = 0;                     // for people
  // What has to be said again with every request that follows from this one; empty: nothing.
  virtual std::string_view link() const { return {}; }
};
using ViewerPtr = std::shared_ptr<const Viewer>;

// Stands before every route but /healthz, the page's own files and the login: no request comes by without it.
// Thread-safe.
class Access {
 public:
  virtual ~Access() = default;
  // kPermissionDenied: nobody that is known. Must not block for long.
  virtual Result<ViewerPtr> admit(const http::Request& request, const http::RequestTarget& target) const = 0;
  // Whether it asks anybody who they are: without that, nothing is served beyond this machine unasked.
  virtual bool is_open() const = 0;

  // A cookie's value for who proves who they are. May take its time. kNotFound: nobody is asked.
  virtual Result<std::string> log_in(const http::Request& request) const = 0;
  // What lets others watch one stream until then: link=TEXT in an address's query.
  virtual Result<std::string> make_link(const Viewer& viewer, const std::string& stream, bool with_clips,
                                        Timestamp until) const = 0;
};

// Lets everybody see everything: behind loopback, or behind a proxy that asks.
class OpenAccess final : public Access {
 public:
  Result<ViewerPtr> admit(const http::Request& request, const http::RequestTarget& target) const override;
  bool is_open() const override { return true; }
  Result<std::string> log_in(const http::Request& request) const override;
  Result<std::string> make_link(const Viewer& viewer, const std::string& stream, bool with_clips,
                                Timestamp until) const override;
};

// How long who logged in stays so, and the cookie that says it.
inline constexpr Duration kSessionTime = std::chrono::hours(12);
inline constexpr const char* kCookieName = "gopline";

// Whether a Host header (RFC 9110, 7.2) names this machine itself. A page of another site that has its own
// name point at 127.0.0.1 (DNS rebinding) sends its own name.
bool is_loopback_host(std::string_view host);

// Whether a request that changes something comes from a page of ours, or from no page at all. A browser says
// whose page it is, and does not let the page say something else (Fetch Metadata; RFC 6454, 7).
bool is_from_here(const http::Request& request);

}  // namespace gopline::server
