#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/camera/handles.h"

namespace gopline::camera {

enum class Codec { kH264, kHevc, kMpeg4, kMjpeg, kAac, kOpus, kPcma, kPcmu };

bool is_video(Codec codec);

// A compressed picture or piece of sound. Times are in ns from where the clip begins.
struct Sample {
  BytesPtr data;
  int64_t dts = 0;
  int64_t pts = 0;
  bool key = false;
};

// One of the clip's tracks, all of it in memory, ready to be sent again and again.
struct Track {
  Codec codec = Codec::kH264;
  BytesPtr extradata;  // none, or as the clip's container has it
  int width = 0;
  int height = 0;
  int rate = 0;
  int channels = 0;
  std::vector<Sample> samples;
  int64_t period = 0;   // ns from one turn of the loop to the next
  int64_t reorder = 0;  // ns that the latest picture is sent after it was taken, for it waits for others

  double frames_per_second() const {
    return 1e9 * static_cast<double>(samples.size()) / static_cast<double>(period);
  }
};

// The first picture track and the first sound track of a file, in this order.
struct Clip {
  std::string path;
  std::vector<Track> tracks;
};

// Throws std::runtime_error that names the file when it has no picture track or a codec that no camera sends.
std::shared_ptr<const Clip> load_clip(const std::string& path);

// What GStreamer calls the track's packets: the caps of the appsrc. Parameter sets travel in them.
CapsPtr caps_of(const Track& track);

// The payloader for the track, as gst_parse_launch takes it, under the name that the RTSP server looks for.
std::string payloader_of(const Track& track, size_t index);

}  // namespace gopline::camera
