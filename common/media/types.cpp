#include "common/media/types.h"

#include <algorithm>

namespace gopline::media {

std::string_view to_string(MediaType type) {
  switch (type) {
    case MediaType::kVideo:
      return "video";
    case MediaType::kAudio:
      return "audio";
    case MediaType::kSubtitle:
      return "subtitle";
    case MediaType::kData:
      return "data";
  }
  return "data";
}

std::optional<MediaType> media_type_from(std::string_view name) {
  for (auto type : {MediaType::kVideo, MediaType::kAudio, MediaType::kSubtitle, MediaType::kData}) {
    if (to_string(type) == name) return type;
  }
  return std::nullopt;
}

std::string_view to_string(SourceForm form) {
  switch (form) {
    case SourceForm::kMp4:
      return "mp4";
    case SourceForm::kAnnexB:
      return "annexb";
    case SourceForm::kAdts:
      return "adts";
  }
  return "mp4";
}

std::optional<SourceForm> source_form_from(std::string_view name) {
  for (auto form : {SourceForm::kMp4, SourceForm::kAnnexB, SourceForm::kAdts}) {
    if (to_string(form) == name) return form;
  }
  return std::nullopt;
}

int main_track_of(const std::vector<Track>& tracks) {
  for (auto wanted : {MediaType::kVideo, MediaType::kAudio}) {
    auto found = std::ranges::find_if(tracks, [&](const Track& track) { return track.codec.type == wanted; });
    if (found != tracks.end()) return static_cast<int>(found - tracks.begin());
  }
  return 0;
}

}  // namespace gopline::media
