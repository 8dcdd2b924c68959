#pragma once
#include <gst/rtsp-server/rtsp-server.h>

#include <functional>

namespace gopline::camera {

// What we do to a session's pipeline where the RTSP server's signals do not reach.
struct MediaHooks {
  std::function<void(GstElement* rtpbin)> rtpbin;       // it has been made, and has no pads yet
  std::function<void(GstSDPMessage* sdp)> description;  // what DESCRIBE will answer
};

// The type for gst_rtsp_media_factory_set_media_gtype.
GType hooked_media_type();

// Before the media is prepared.
void set_hooks(GstRTSPMedia* media, MediaHooks hooks);

}  // namespace gopline::camera
