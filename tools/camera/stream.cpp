#include "tools/camera/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace gopline::camera {
namespace {

// The fmtp attribute without the parameter sets: sprop-parameter-sets, sprop-vps and their like.
std::string without_parameter_sets(std::string_view attribute) {
  std::string kept;
  while (!attribute.empty()) {
    const size_t end = std::min(attribute.find(';'), attribute.size());
    const std::string_view part = attribute.substr(0, end);
    // The first part has the payload type before the name.
    if (const size_t at = part.find("sprop-"); at == std::string_view::npos)
      kept += (kept.empty() || kept.back() == ' ' ? "" : ";") + std::string(part);
    else if (kept.empty())
      kept += part.substr(0, at);
    attribute.remove_prefix(std::min(end + 1, attribute.size()));
  }
  return kept;
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

}  // namespace

struct Stream::Session {
  std::shared_ptr<Stream> stream;
  std::mutex mutex;
  Feed::Sources sources;  // until all take samples
  std::vector<bool> ready;
  std::shared_ptr<Feed> feed;
};

Stream::Stream(StreamOptions options)
    : options_(std::move(options)),
      crystal_(options_.drift),
      clip_(load_clip(options_.clip)),
      began_(crystal_.now()),
      audio_delay_(options_.audio_delay),
      wire_(std::make_shared<Wire>(options_, *clip_)) {}

std::shared_ptr<const Clip> Stream::clip() {
  std::lock_guard lock(mutex_);
  return clip_;
}

void Stream::switch_clip(const std::string& path) {
  auto next = load_clip(path);
  std::lock_guard lock(mutex_);
  const auto same = [](const Track& a, const Track& b) { return a.codec == b.codec; };
  if (!std::equal(clip_->tracks.begin(), clip_->tracks.end(), next->tracks.begin(), next->tracks.end(), same))
    throw std::runtime_error(fmt::format("{} has other tracks or codecs than sessions were told of", path));
  clip_ = std::move(next);
  began_ = crystal_.now();
  for (const auto& each : feeds_)
    if (const auto feed = each.lock()) feed->switch_clip(clip_);
}

void Stream::delay_audio(double seconds) {
  std::lock_guard lock(mutex_);
  audio_delay_ = seconds;
  for (const auto& each : feeds_)
    if (const auto feed = each.lock()) feed->delay_audio(seconds);
}

GPtr<GstRTSPMediaFactory> Stream::make_factory(GstRTSPAddressPool* udp_ports, const char* role) {
  std::string pipeline = "( ";
  const auto played = clip();
  for (size_t i = 0; i < played->tracks.size(); ++i)
    pipeline += fmt::format("appsrc name=src{} format=time is-live=true ! {} ", i,
                            payloader_of(played->tracks[i], i));
  GPtr<GstRTSPMediaFactory> factory(gst_rtsp_media_factory_new());
  gst_rtsp_media_factory_set_launch(factory.get(), (pipeline + ")").c_str());
  gst_rtsp_media_factory_set_media_gtype(factory.get(), hooked_media_type());
  gst_rtsp_media_factory_set_address_pool(factory.get(), udp_ports);
  const int transports =
      (options_.tcp ? GST_RTSP_LOWER_TRANS_TCP : 0) | (options_.udp ? GST_RTSP_LOWER_TRANS_UDP : 0);
  gst_rtsp_media_factory_set_protocols(factory.get(), static_cast<GstRTSPLowerTrans>(transports));
  gst_rtsp_media_factory_add_role(factory.get(), role, GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN,
                                  TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, nullptr);
  const auto configured =
      +[](GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer data) { in<Stream>(data).configure(media); };
  connect(factory.get(), "media-configure", G_CALLBACK(configured), shared_from_this());
  return factory;
}

void Stream::configure(GstRTSPMedia* media) {
  ++sessions_;
  const GPtr<GstElement> bin(gst_rtsp_media_get_element(media));
  const GPtr<GstObject> pipeline(gst_object_get_parent(GST_OBJECT(bin.get())));
  gst_pipeline_use_clock(GST_PIPELINE(pipeline.get()), crystal_.clock());
  gst_element_set_start_time(GST_ELEMENT(pipeline.get()),
                             GST_CLOCK_TIME_NONE);  // else it would choose a base time
  gst_element_set_base_time(GST_ELEMENT(pipeline.get()), crystal_.base_time());
  set_hooks(media, {.rtpbin =
                        [wire = wire_](GstElement* rtpbin) {
                          // Reports shall say when a picture was taken, not when it was sent.
                          g_object_set(rtpbin, "rtcp-sync-send-time", FALSE, nullptr);
                          wire->guard(rtpbin);
                        },
                    .description =
                        [self = shared_from_this()](GstSDPMessage* sdp) { self->change_description(sdp); }});

  auto session = std::make_shared<Session>();
  session->stream = shared_from_this();
  const auto played = clip();
  session->ready.resize(played->tracks.size());
  for (size_t i = 0; i < played->tracks.size(); ++i) {
    const Track& track = played->tracks[i];
    GPtr<GstElement> source(gst_bin_get_by_name(GST_BIN(bin.get()), fmt::format("src{}", i).c_str()));
    const GPtr<GstElement> payloader(
        gst_bin_get_by_name(GST_BIN(bin.get()), fmt::format("pay{}", i).c_str()));
    gst_app_src_set_caps(GST_APP_SRC(source.get()), caps_of(track).get());
    gst_app_src_set_max_bytes(GST_APP_SRC(source.get()), 0);
    set_timestamp_offset(payloader.get(), is_video(track.codec) ? 90000 : track.rate);
    session->sources.emplace_back(GST_APP_SRC(source.release()));
  }
  const auto wanted = +[](GstElement* source, guint, gpointer data) {
    Session& s = in<Session>(data);
    std::lock_guard lock(s.mutex);
    for (size_t i = 0; i < s.sources.size(); ++i)
      if (GST_ELEMENT(s.sources[i].get()) == source) s.ready[i] = true;
    s.stream->begin(s);
  };
  for (auto& source : session->sources) connect(source.get(), "need-data", G_CALLBACK(wanted), session);
  const auto prepared = +[](GstRTSPMedia* m, gpointer data) { in<Stream>(data).set_report_interval(m); };
  connect(media, "prepared", G_CALLBACK(prepared), shared_from_this());
  const auto ended = +[](GstRTSPMedia*, gpointer data) {
    Session& s = in<Session>(data);
    std::lock_guard lock(s.mutex);
    s.sources.clear();
    s.feed.reset();
  };
  connect(media, "unprepared", G_CALLBACK(ended), session);
}

// Called with the session's mutex held: when every source takes samples, they come.
void Stream::begin(Session& session) {
  const auto is_true = [](bool ready) { return ready; };
  if (session.sources.empty() || !std::all_of(session.ready.begin(), session.ready.end(), is_true)) return;
  std::lock_guard lock(mutex_);
  const int64_t from = crystal_.now() - std::llround(options_.burst * 1e9);
  session.feed = std::make_shared<Feed>(options_, crystal_, clip_, std::exchange(session.sources, {}),
                                        options_.from_beginning ? from : began_, from, audio_delay_);
  std::erase_if(feeds_, [](const auto& each) { return each.expired(); });
  feeds_.push_back(session.feed);
}

void Stream::set_timestamp_offset(GstElement* payloader, int rate) const {
  if (!options_.wrap) return;
  const double since_base = static_cast<double>(crystal_.now()) * 1e-9;
  const auto offset = static_cast<uint32_t>(-std::llround((since_base + *options_.wrap) * rate));
  g_object_set(payloader, "timestamp-offset", std::min(offset, UINT32_MAX - 1),
               nullptr);  // the largest means: any
}

void Stream::change_description(GstSDPMessage* sdp) const {
  for (guint i = 0; i < gst_sdp_message_medias_len(sdp); ++i) {
    auto* media = const_cast<GstSDPMedia*>(gst_sdp_message_get_media(sdp, i));
    for (guint k = 0; k < gst_sdp_media_attributes_len(media); ++k) {
      const GstSDPAttribute* attribute = gst_sdp_media_get_attribute(media, k);
      if (options_.parameter_sets || std::string_view(attribute->key) != "fmtp") continue;
      const std::string changed = without_parameter_sets(attribute->value);
      gst_sdp_media_remove_attribute(media, k);
      gst_sdp_media_add_attribute(media, "fmtp", changed.c_str());
      break;  // one is all that a payloader writes
    }
    if (!options_.declared_fps.empty() && std::string_view(gst_sdp_media_get_media(media)) == "video")
      gst_sdp_media_add_attribute(media, "framerate", options_.declared_fps.c_str());
  }
}

void Stream::set_report_interval(GstRTSPMedia* media) const {
  for (guint i = 0; i < gst_rtsp_media_n_streams(media); ++i) {
    const GPtr<GObject> session(gst_rtsp_stream_get_rtpsession(gst_rtsp_media_get_stream(media, i)));
    if (session)
      g_object_set(session.get(), "rtcp-min-interval",
                   static_cast<guint64>(options_.rtcp_interval * GST_SECOND), nullptr);
  }
}

}  // namespace gopline::camera
