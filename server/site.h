#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/http/http_server.h"
#include "common/payload/blob_source.h"
#include "server/access/access.h"
#include "server/access/audit_log.h"
#include "server/cross_origin.h"
#include "server/server_metrics.h"
#include "server/stream_catalog.h"

namespace gopline::server {

struct SiteOptions {
  std::string topic_namespace = "gopline";
  std::size_t cache_bytes = 256 << 20;  // of segments, for all viewers together
  std::size_t workers = 8;              // requests that wait for the log at once
  // Where nobody is asked who they are: refuse other names of this machine than its own (DNS rebinding).
  bool loopback_only = true;
  ServerMetrics metrics = {};
  bool secure_cookies = true;  // which browsers send over TLS, or to this machine itself, alone
  bool over_tls = false;       // browsers are told to come back over TLS alone (HSTS)
  CrossOrigin cross_origin = {};
  bool transcodes = true;       // sound and pictures that browsers do not know
  bool redirect_blobs = false;  // claim-checked segments are fetched from their store, by presigned addresses
  std::string blob_origin;      // of these; empty: not known. The page may fetch from there
};

// Everything that is served: who may ask is `access`'s to say, what there is the catalogue's. Requests that
// need the log are answered on threads of its own. Thread-safe.
class Site {
 public:
  // All outlive the site.
  Site(StreamCatalog& catalog, payload::BlobSource& blobs, const Access& access, AuditLog& audit,
       const Clock& clock, const SiteOptions& options);
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  // For HttpServer::start(); the site outlives the server.
  http::Handler handler();

  // Ends what is under way, and answers nothing any more. Before the server is destroyed.
  void stop();

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gopline::server
