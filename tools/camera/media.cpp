#include "tools/camera/media.h"

namespace gopline::camera {
namespace {

constexpr const char* kHooks = "gopline-hooks";

// NOLINTBEGIN(readability-identifier-naming): GObject's names
struct HookedMedia {
  GstRTSPMedia parent;
};
struct HookedMediaClass {
  GstRTSPMediaClass parent;
};
G_DEFINE_TYPE(HookedMedia, hooked_media, GST_TYPE_RTSP_MEDIA)
// NOLINTEND(readability-identifier-naming)

MediaHooks* hooks_of(GstRTSPMedia* media) {
  return static_cast<MediaHooks*>(g_object_get_data(G_OBJECT(media), kHooks));
}

gboolean setup_rtpbin(GstRTSPMedia* media, GstElement* rtpbin) {
  if (const MediaHooks* hooks = hooks_of(media)) hooks->rtpbin(rtpbin);
  return TRUE;
}

gboolean setup_sdp(GstRTSPMedia* media, GstSDPMessage* sdp, GstSDPInfo* info) {
  if (!GST_RTSP_MEDIA_CLASS(hooked_media_parent_class)->setup_sdp(media, sdp, info)) return FALSE;
  if (const MediaHooks* hooks = hooks_of(media)) hooks->description(sdp);
  return TRUE;
}

void hooked_media_init(HookedMedia*) {}

void hooked_media_class_init(HookedMediaClass* type) {
  type->parent.setup_rtpbin = setup_rtpbin;
  type->parent.setup_sdp = setup_sdp;
}

}  // namespace

GType hooked_media_type() {
  return hooked_media_get_type();
}

void set_hooks(GstRTSPMedia* media, MediaHooks hooks) {
  g_object_set_data_full(G_OBJECT(media), kHooks, new MediaHooks(std::move(hooks)),
                         [](gpointer p) { delete static_cast<MediaHooks*>(p); });
}

}  // namespace gopline::camera
