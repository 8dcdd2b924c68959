#include "tools/camera/server.h"

#include <fmt/format.h>

#include <stdexcept>

namespace gopline::camera {
namespace {

constexpr const char* kRole = "viewer";
// Below what the kernel gives to outgoing connections. A pair that is taken is passed over.
constexpr guint16 kUdpFrom = 20000, kUdpTo = 31999;

struct TokenDeleter {
  void operator()(GstRTSPToken* token) const { gst_rtsp_token_unref(token); }
};
using TokenPtr = std::unique_ptr<GstRTSPToken, TokenDeleter>;

struct MountsDeleter {
  void operator()(GList* objects) const { g_list_free_full(objects, g_object_unref); }
};
using ObjectList = std::unique_ptr<GList, MountsDeleter>;

std::string path_of(const Stream& stream) {
  return "/" + stream.options().name;
}

struct Closing {
  GstRTSPSessionPool* pool;
  std::string path;  // empty: every
};

GstRTSPFilterResult drop_session(GstRTSPClient*, GstRTSPSession* session, gpointer data) {
  const auto& closing = *static_cast<Closing*>(data);
  gint matched = 0;
  return closing.path.empty() || gst_rtsp_session_get_media(session, closing.path.c_str(), &matched)
             ? GST_RTSP_FILTER_REF
             : GST_RTSP_FILTER_KEEP;
}

// The sessions go as well: over UDP they would be served for a minute more.
GstRTSPFilterResult drop_client(GstRTSPServer*, GstRTSPClient* client, gpointer data) {
  auto& closing = *static_cast<Closing*>(data);
  const ObjectList sessions(gst_rtsp_client_session_filter(client, drop_session, data));
  if (!sessions && !closing.path.empty()) return GST_RTSP_FILTER_KEEP;
  for (GList* each = sessions.get(); each; each = each->next)
    gst_rtsp_session_pool_remove(closing.pool, GST_RTSP_SESSION(each->data));
  return GST_RTSP_FILTER_REMOVE;
}

}  // namespace

Server::Server(Options options)
    : options_(std::move(options)), server_(gst_rtsp_server_new()), udp_ports_(gst_rtsp_address_pool_new()) {
  gst_rtsp_server_set_address(server_.get(), options_.host.c_str());
  gst_rtsp_server_set_service(server_.get(), std::to_string(options_.port).c_str());
  const GPtr<GstRTSPThreadPool> threads(gst_rtsp_server_get_thread_pool(server_.get()));
  gst_rtsp_thread_pool_set_max_threads(threads.get(), -1);  // one each: a client that waits holds up nobody
  if (!gst_rtsp_address_pool_add_range(udp_ports_.get(), options_.host.c_str(), options_.host.c_str(),
                                       kUdpFrom, kUdpTo, 0))
    throw std::runtime_error(fmt::format("{} is no address that UDP can be sent from", options_.host));
  const GPtr<GstRTSPMountPoints> mounts(gst_rtsp_server_get_mount_points(server_.get()));
  for (const StreamOptions& each : options_.streams) {
    auto stream = std::make_shared<Stream>(each);
    gst_rtsp_mount_points_add_factory(mounts.get(), path_of(*stream).c_str(),
                                      stream->make_factory(udp_ports_.get(), kRole).release());
    if (!streams_.emplace(each.name, std::move(stream)).second)
      throw std::runtime_error(fmt::format("there are two streams of the name {}", each.name));
  }
  set_auth();
  g_signal_connect(server_.get(), "client-connected", G_CALLBACK(&Server::welcome), this);
  listen();
}

Server::~Server() {
  ignore();
  g_signal_handlers_disconnect_by_data(server_.get(), this);
  close(nullptr);
}

int Server::port() const {
  return gst_rtsp_server_get_bound_port(server_.get());
}

void Server::listen() {
  if (listening_ != 0) return;
  listening_ = gst_rtsp_server_attach(server_.get(), nullptr);
  if (listening_ == 0)
    throw std::runtime_error(
        fmt::format("port {} of {} is taken by another program", options_.port, options_.host));
}

void Server::ignore() {
  if (listening_ != 0) g_source_remove(listening_);
  listening_ = 0;
}

void Server::close(const Stream* stream) {
  const GPtr<GstRTSPSessionPool> pool(gst_rtsp_server_get_session_pool(server_.get()));
  Closing closing{pool.get(), stream ? path_of(*stream) : ""};
  gst_rtsp_server_client_filter(server_.get(), drop_client, &closing);
}

unsigned Server::connections() {
  const ObjectList clients(gst_rtsp_server_client_filter(server_.get(), nullptr, nullptr));
  return g_list_length(clients.get());
}

void Server::set_password(const std::string& password) {
  options_.password = password;
  set_auth();
}

// Without a user all are welcome; a certificate makes the port one for TLS alone.
void Server::set_auth() {
  if (options_.user.empty() && options_.certificate.empty()) return;
  const GPtr<GstRTSPAuth> auth(gst_rtsp_auth_new());
  const TokenPtr token(gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, kRole, nullptr));
  if (options_.user.empty()) {
    gst_rtsp_auth_set_default_token(auth.get(), token.get());
  } else if (options_.basic) {
    const GStringPtr basic(gst_rtsp_auth_make_basic(options_.user.c_str(), options_.password.c_str()));
    gst_rtsp_auth_set_supported_methods(auth.get(), GST_RTSP_AUTH_BASIC);
    gst_rtsp_auth_add_basic(auth.get(), basic.get(), token.get());
  } else {
    gst_rtsp_auth_set_supported_methods(auth.get(), GST_RTSP_AUTH_DIGEST);
    gst_rtsp_auth_add_digest(auth.get(), options_.user.c_str(), options_.password.c_str(), token.get());
  }
  if (!options_.certificate.empty()) {
    GError* error = nullptr;
    const GPtr<GTlsCertificate> certificate(
        g_tls_certificate_new_from_files(options_.certificate.c_str(), options_.key.c_str(), &error));
    const GErrorPtr owned(error);
    if (!certificate) throw std::runtime_error(fmt::format("{}: {}", options_.certificate, error->message));
    gst_rtsp_auth_set_tls_certificate(auth.get(), certificate.get());
  }
  gst_rtsp_server_set_auth(server_.get(), auth.get());
}

void Server::welcome(GstRTSPServer*, GstRTSPClient* client, gpointer self) {
  g_signal_connect(client, "pre-describe-request", G_CALLBACK(&Server::check), self);
}

// In the client's thread: the streams are the same as long as there is a server.
GstRTSPStatusCode Server::check(GstRTSPClient*, GstRTSPContext* context, gpointer self) {
  const auto& streams = static_cast<Server*>(self)->streams_;
  const std::string path = context->uri && context->uri->abspath ? context->uri->abspath : "";
  const auto found = streams.find(path.substr(path.empty() ? 0 : 1));
  return found != streams.end() && found->second->is_refusing() ? GST_RTSP_STS_SERVICE_UNAVAILABLE
                                                                : GST_RTSP_STS_OK;
}

}  // namespace gopline::camera
