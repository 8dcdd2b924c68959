#include "server/access/access.h"

namespace gopline::server {
namespace {

class Anybody final : public Viewer {
 public:
  std::string name() const override { return "anybody"; }
  bool may_view(const std::string&) const override { return true; }
  bool may_export(const std::string&) const override { return true; }
  bool is_admin() const override { return true; }
  std::string_view role() const override { return "admin"; }
};

}  // namespace

Result<ViewerPtr> OpenAccess::admit(const http::Request&, const http::RequestTarget&) const {
  return std::make_shared<const Anybody>();
}

Result<std::string> OpenAccess::log_in(const http::Request&) const {
  return fail(ErrorCode::kNotFound, "nobody has to log in here");
}

Result<std::string> OpenAccess::make_link(const Viewer&, const std::string&, bool, Timestamp) const {
  return fail(ErrorCode::kNotFound, "every address here is open to everybody: there is nothing to sign");
}

bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[')) return host.starts_with("[::1]");
  auto name = host.substr(0, host.find(':'));
  return name == "localhost" || name.ends_with(".localhost") || name == "127.0.0.1";
}

bool is_from_here(const http::Request& request) {
  auto site = request.header("Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none") return false;
  auto origin = request.header("Origin"), host = request.header("Host");
  if (!origin) return true;
  auto scheme_end = origin->find("://");
  return host && scheme_end != std::string_view::npos && origin->substr(scheme_end + 3) == *host;
}

}  // namespace gopline::server
