#include "server/rtsp/rtsp_server.h"

#include <gst/rtsp-server/rtsp-server.h>

#include <array>
#include <thread>

#include "common/base/logging.h"
#include "server/rtsp/handles.h"
#include "server/rtsp/mount.h"

namespace gopline::server {
namespace {

// Below what the kernel gives to outgoing connections. A pair that is taken is passed over.
constexpr guint16 kUdpFrom = 20000, kUdpTo = 31999;
constexpr guint kCleanupSeconds = 2;

struct ContextDeleter {
  void operator()(GMainContext* context) const { g_main_context_unref(context); }
};
using ContextPtr = std::unique_ptr<GMainContext, ContextDeleter>;

struct LoopDeleter {
  void operator()(GMainLoop* loop) const { g_main_loop_unref(loop); }
};
using LoopPtr = std::unique_ptr<GMainLoop, LoopDeleter>;

struct SourceDeleter {
  void operator()(GSource* source) const {
    g_source_destroy(source);
    g_source_unref(source);
  }
};
using SourcePtr = std::unique_ptr<GSource, SourceDeleter>;

struct SourceUnref {  // it stays attached
  void operator()(GSource* source) const { g_source_unref(source); }
};
using SourcePtrKept = std::unique_ptr<GSource, SourceUnref>;

struct TokenDeleter {
  void operator()(GstRTSPToken* token) const { gst_rtsp_token_unref(token); }
};
using TokenPtr = std::unique_ptr<GstRTSPToken, TokenDeleter>;

struct ErrorDeleter {
  void operator()(GError* error) const { g_error_free(error); }
};

Result<void> check_plugins() {
  for (const char* name : {"appsrc", "rtpbin", "rtph264pay", "udpsink", "appsink"}) {
    const GPtr<GstElementFactory> factory(gst_element_factory_find(name));
    if (!factory) {
      return fail(ErrorCode::kUnsupported,
                  "--serve: GStreamer has no '{}' here; install gstreamer1.0-plugins-base and "
                  "gstreamer1.0-plugins-good",
                  name);
    }
  }
  return {};
}

gboolean forget_who_is_gone(gpointer pool) {
  gst_rtsp_session_pool_cleanup(GST_RTSP_SESSION_POOL(pool));
  return G_SOURCE_CONTINUE;
}

class GstServer final : public RtspServer {
 public:
  explicit GstServer(RtspOptions options)
      : options_(std::move(options)),
        context_(g_main_context_new()),
        loop_(g_main_loop_new(context_.get(), FALSE)),
        server_(gst_rtsp_server_new()) {}

  ~GstServer() override {
    gst_rtsp_server_client_filter(
        server_.get(), [](GstRTSPServer*, GstRTSPClient*, gpointer) { return GST_RTSP_FILTER_REMOVE; },
        nullptr);
    listening_.reset();
    cleanup_.reset();
    quit();
  }

  Result<void> listen() {
    gst_rtsp_server_set_address(server_.get(), options_.host.c_str());
    gst_rtsp_server_set_service(server_.get(), std::to_string(options_.port).c_str());
    const GPtr<GstRTSPThreadPool> threads(gst_rtsp_server_get_thread_pool(server_.get()));
    gst_rtsp_thread_pool_set_max_threads(threads.get(), -1);  // one each: a client that waits holds up nobody
    choose_udp_ports();
    demand_login();
    auto listening = gst_rtsp_server_attach(server_.get(), context_.get());
    if (listening == 0) {
      return fail(ErrorCode::kUnavailable,
                  "--serve: cannot listen at {}:{}: the port is taken, or the address is not this machine's",
                  options_.host, options_.port);
    }
    listening_.reset(g_source_ref(g_main_context_find_source_by_id(context_.get(), listening)));
    const GPtr<GstRTSPSessionPool> sessions(gst_rtsp_server_get_session_pool(server_.get()));
    cleanup_.reset(g_timeout_source_new_seconds(kCleanupSeconds));
    g_source_set_callback(cleanup_.get(), forget_who_is_gone, share(sessions.get()).release(),
                          g_object_unref);
    g_source_attach(cleanup_.get(), context_.get());
    thread_ = std::jthread([this] { run(); });
    return {};
  }

  std::unique_ptr<aggregator::LiveDelivery> mount(const std::string& path,
                                                  const std::string& stream) override {
    return std::make_unique<Mount>(share(server_.get()), udp_ports_ ? share(udp_ports_.get()) : nullptr, path,
                                   stream);
  }

  std::uint16_t port() const override {
    return static_cast<std::uint16_t>(gst_rtsp_server_get_bound_port(server_.get()));
  }

  std::string url_of(const std::string& path) const override {
    bool brackets = options_.host.find(':') != std::string::npos;
    return fmt::format("rtsp://{}{}{}:{}/{}", brackets ? "[" : "", options_.host, brackets ? "]" : "", port(),
                       path);
  }

 private:
  void run() {
    g_main_context_push_thread_default(context_.get());
    g_main_loop_run(loop_.get());
    g_main_context_pop_thread_default(context_.get());
  }

  // By the loop itself: it may not have begun yet.
  void quit() {
    const SourcePtrKept source(g_idle_source_new());
    g_source_set_callback(
        source.get(),
        [](gpointer loop) {
          g_main_loop_quit(static_cast<GMainLoop*>(loop));
          return G_SOURCE_REMOVE;
        },
        loop_.get(), nullptr);
    g_source_attach(source.get(), context_.get());
  }

  // Sockets at the server's own address; at any other it lets the library choose.
  void choose_udp_ports() {
    udp_ports_.reset(gst_rtsp_address_pool_new());
    const char* host = options_.host.c_str();
    if (!gst_rtsp_address_pool_add_range(udp_ports_.get(), host, host, kUdpFrom, kUdpTo, 0))
      udp_ports_.reset();
  }

  void demand_login() {
    if (options_.login.empty()) return;
    auto colon = options_.login.find(':');
    auto user = options_.login.substr(0, colon), password = options_.login.substr(colon + 1);
    const GPtr<GstRTSPAuth> auth(gst_rtsp_auth_new());
    const TokenPtr token(
        gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, kViewer, nullptr));
    gst_rtsp_auth_set_supported_methods(auth.get(), GST_RTSP_AUTH_DIGEST);
    gst_rtsp_auth_add_digest(auth.get(), user.c_str(), password.c_str(), token.get());
    gst_rtsp_server_set_auth(server_.get(), auth.get());
  }

  const RtspOptions options_;
  const ContextPtr context_;
  const LoopPtr loop_;
  const GPtr<GstRTSPServer> server_;
  GPtr<GstRTSPAddressPool> udp_ports_;
  SourcePtr listening_, cleanup_;
  std::jthread thread_;  // the last member: it uses all others
};

}  // namespace

Result<std::unique_ptr<RtspServer>> RtspServer::start(const RtspOptions& options) {
  GError* error = nullptr;
  if (!gst_init_check(nullptr, nullptr, &error)) {
    const std::unique_ptr<GError, ErrorDeleter> owned(error);
    return fail(ErrorCode::kUnsupported, "--serve: GStreamer does not start: {}",
                error ? error->message : "");
  }
  GOPLINE_TRY(check_plugins());
  auto server = std::make_unique<GstServer>(options);
  GOPLINE_TRY(server->listen());
  return server;
}

}  // namespace gopline::server
