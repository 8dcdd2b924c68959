#pragma once
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/http/message.h"
#include "common/http/request_target.h"
#include "server/access/access.h"
#include "server/access/audit_log.h"

namespace gopline::server {

// What lies under /api/ about who asks: login, logout, me, links. Thread-safe.
class SessionRoutes {
 public:
  // `secure_cookies`: browsers send them over TLS, or to this machine itself, alone.
  SessionRoutes(const Access& access, AuditLog& audit, const Clock& clock, bool secure_cookies)
      : access_(access), audit_(audit), clock_(clock), secure_cookies_(secure_cookies) {}

  http::Response log_in(const http::Request& request);  // takes tens of milliseconds
  http::Response log_out() const;
  http::Response me(const Viewer& viewer) const;
  Result<http::Response> link(const http::RequestTarget& target, const Viewer& viewer,
                              const std::string& peer);

 private:
  std::string cookie(const std::string& value, Duration age) const;

  const Access& access_;
  AuditLog& audit_;
  const Clock& clock_;
  const bool secure_cookies_;
};

}  // namespace gopline::server
