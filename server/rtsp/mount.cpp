#include "server/rtsp/mount.h"

#include <utility>

#include "common/base/logging.h"
#include "server/rtsp/rtp_track.h"

namespace gopline::server {
namespace {

// Seconds from 1900 (RFC 3550, section 4) to 1970.
constexpr GstClockTime kNtpEpoch = GstClockTime{2'208'988'800} * GST_SECOND;

GstClockTime ntp_of(Timestamp time) {
  return kNtpEpoch + static_cast<GstClockTime>(time.time_since_epoch().count()) * GST_USECOND;
}

// The wall clock as NTP counts it, and as steady as the monotonic one.
GPtr<GstClock> ntp_clock() {
  GPtr<GstClock> clock(
      GST_CLOCK(g_object_new(GST_TYPE_SYSTEM_CLOCK, "clock-type", GST_CLOCK_TYPE_MONOTONIC, nullptr)));
  gst_object_ref_sink(clock.get());
  auto now = kNtpEpoch + static_cast<GstClockTime>(g_get_real_time()) * GST_USECOND;
  gst_clock_set_calibration(clock.get(), gst_clock_get_internal_time(clock.get()), now, 1, 1);
  return clock;
}

// Its `data` is a std::shared_ptr<T>*, released with the connection.
template <class T>
void connect(gpointer object, const char* signal, GCallback callback, std::shared_ptr<T> data) {
  g_signal_connect_data(
      object, signal, callback, new std::shared_ptr<T>(std::move(data)),
      [](gpointer p, GClosure*) { delete static_cast<std::shared_ptr<T>*>(p); },
      static_cast<GConnectFlags>(0));
}

template <class T>
T& in(gpointer data) {
  return **static_cast<std::shared_ptr<T>*>(data);
}

// A client's pipeline, from its making until it plays.
struct Session {
  std::shared_ptr<Relay> relay;
  std::mutex mutex;
  std::shared_ptr<Watcher> watcher = std::make_shared<Watcher>();
  std::vector<GstAppSrc*> unready;  // sources that do not take packets yet
  bool over = false;
};

// Reports shall say when a picture was taken, by the pipeline's clock, not when it was sent.
void set_reports(GstBin*, GstElement* element, gpointer) {
  const auto* factory = gst_element_get_factory(element);
  if (!factory || std::string_view(GST_OBJECT_NAME(factory)) != "rtpbin") return;
  g_object_set(element, "rtcp-sync-send-time", FALSE, nullptr);
  gst_util_set_object_arg(G_OBJECT(element), "ntp-time-source", "clock-time");
}

// A source takes packets now; when all do, the client watches.
void on_need_data(GstAppSrc* source, guint, gpointer data) {
  auto& session = in<Session>(data);
  std::lock_guard lock(session.mutex);
  if (session.over || session.unready.empty()) return;
  std::erase(session.unready, source);
  if (session.unready.empty()) session.relay->join(session.watcher);
}

void on_unprepared(GstRTSPMedia*, gpointer data) {
  auto& session = in<Session>(data);
  std::lock_guard lock(session.mutex);
  session.over = true;
  session.relay->leave(session.watcher);
}

void on_configure(GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer data) {
  auto relay = *static_cast<std::shared_ptr<Relay>*>(data);
  const GPtr<GstElement> bin(gst_rtsp_media_get_element(media));
  const GPtr<GstObject> pipeline(gst_object_get_parent(GST_OBJECT(bin.get())));
  const auto clock = ntp_clock();
  gst_pipeline_use_clock(GST_PIPELINE(pipeline.get()), clock.get());
  // Else it would choose a base time of its own.
  gst_element_set_start_time(GST_ELEMENT(pipeline.get()), GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(GST_ELEMENT(pipeline.get()), ntp_of(relay->base()));
  g_signal_connect(pipeline.get(), "element-added", G_CALLBACK(set_reports), nullptr);

  auto session = std::make_shared<Session>();
  session->relay = relay;
  session->watcher->run = relay->run();
  for (const auto& track : relay->tracks()) {
    auto name = fmt::format("src{}", session->watcher->sources.size());
    GPtr<GstElement> source(gst_bin_get_by_name(GST_BIN(bin.get()), name.c_str()));
    session->watcher->sources.emplace_back(source ? GST_APP_SRC(source.release()) : nullptr);
    auto* ours = session->watcher->sources.back().get();
    if (!ours) continue;
    gst_app_src_set_caps(ours, caps_of(track).get());
    gst_app_src_set_max_bytes(ours, 0);  // the relay looks after that
    session->unready.push_back(ours);
  }
  for (auto* source : std::vector(session->unready))
    connect(source, "need-data", G_CALLBACK(on_need_data), session);
  connect(media, "unprepared", G_CALLBACK(on_unprepared), session);
}

struct ObjectsDeleter {
  void operator()(GList* objects) const { g_list_free_full(objects, g_object_unref); }
};
using ObjectList = std::unique_ptr<GList, ObjectsDeleter>;

struct Dismissal {
  GstRTSPSessionPool* pool;
  const std::string& path;
};

GstRTSPFilterResult is_of_path(GstRTSPClient*, GstRTSPSession* session, gpointer data) {
  gint matched = 0;
  const auto& path = static_cast<Dismissal*>(data)->path;
  return gst_rtsp_session_get_media(session, path.c_str(), &matched) ? GST_RTSP_FILTER_REF
                                                                     : GST_RTSP_FILTER_KEEP;
}

// Its sessions go as well: over UDP they would be served until they time out.
GstRTSPFilterResult dismiss(GstRTSPServer*, GstRTSPClient* client, gpointer data) {
  auto& dismissal = *static_cast<Dismissal*>(data);
  const ObjectList sessions(gst_rtsp_client_session_filter(client, is_of_path, data));
  if (!sessions) return GST_RTSP_FILTER_KEEP;
  for (auto* each = sessions.get(); each; each = each->next)
    gst_rtsp_session_pool_remove(dismissal.pool, GST_RTSP_SESSION(each->data));
  return GST_RTSP_FILTER_REMOVE;
}

}  // namespace

Mount::Mount(GPtr<GstRTSPServer> server, GPtr<GstRTSPAddressPool> udp_ports, std::string path,
             std::string stream)
    : server_(std::move(server)),
      udp_ports_(std::move(udp_ports)),
      path_("/" + std::move(path)),
      stream_(std::move(stream)),
      relay_(std::make_shared<Relay>(stream_)) {}

Mount::~Mount() {
  finish();
}

Result<void> Mount::check(const aggregator::LiveRun& run) const {
  auto main = static_cast<std::size_t>(media::main_track_of(run.tracks));
  if (main < run.tracks.size() && is_servable(run.tracks[main])) return {};
  return fail(ErrorCode::kUnsupported,
              "RTSP: there is no RTP payload for {}; docs/outputs.md lists what goes where",
              main < run.tracks.size() ? run.tracks[main].codec.codec : "no track");
}

void Mount::begin_run(const aggregator::LiveRun& run) {
  for (const auto& track : run.tracks) {
    if (!is_servable(track))
      log_warning(stream_, "RTSP: there is no RTP payload for {}: track {} is left out", track.codec.codec,
                  track.id);
  }
  if (!relay_->begin_run(run)) return;
  log_info(stream_, "RTSP: other tracks follow: clients have to ask again");
  withdraw();
  dismiss_clients();
}

Result<void> Mount::deliver(const aggregator::LivePacket& packet) {
  GOPLINE_TRY(relay_->take(packet));
  offer();
  return {};
}

void Mount::finish() {
  withdraw();
  dismiss_clients();
}

// Whoever asks from now on is offered what there is now.
void Mount::offer() {
  auto offer = relay_->offer();
  if (offer.empty() || offer == offered_) return;
  offered_ = std::move(offer);
  auto tracks = relay_->tracks();
  std::string launch = "( ";
  for (std::size_t i = 0; i < offered_.size(); ++i) {
    auto track = offered_[i];
    launch += fmt::format("appsrc name=src{} format=time is-live=true ! {} ", track,
                          payloader_of(tracks[track], i));
  }
  bool first = !factory_;
  if (first) factory_.reset(gst_rtsp_media_factory_new());
  gst_rtsp_media_factory_set_launch(factory_.get(), (launch + ")").c_str());
  if (!first) return;
  if (udp_ports_) gst_rtsp_media_factory_set_address_pool(factory_.get(), udp_ports_.get());
  gst_rtsp_media_factory_set_protocols(
      factory_.get(), static_cast<GstRTSPLowerTrans>(GST_RTSP_LOWER_TRANS_TCP | GST_RTSP_LOWER_TRANS_UDP));
  gst_rtsp_media_factory_add_role(factory_.get(), kViewer, GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN,
                                  TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, nullptr);
  connect(factory_.get(), "media-configure", G_CALLBACK(on_configure), relay_);
  const GPtr<GstRTSPMountPoints> mounts(gst_rtsp_server_get_mount_points(server_.get()));
  gst_rtsp_mount_points_add_factory(mounts.get(), path_.c_str(), share(factory_.get()).release());
}

void Mount::withdraw() {
  if (!factory_) return;
  const GPtr<GstRTSPMountPoints> mounts(gst_rtsp_server_get_mount_points(server_.get()));
  gst_rtsp_mount_points_remove_factory(mounts.get(), path_.c_str());
  factory_.reset();
  offered_.clear();
}

void Mount::dismiss_clients() {
  const GPtr<GstRTSPSessionPool> pool(gst_rtsp_server_get_session_pool(server_.get()));
  Dismissal dismissal{pool.get(), path_};
  const ObjectList kept(gst_rtsp_server_client_filter(server_.get(), dismiss, &dismissal));
}

}  // namespace gopline::server
