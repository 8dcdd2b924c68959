#include "cli/demo_stage.h"

#include <cerrno>
#include <cstdlib>

namespace gopline::cli {
namespace fs = std::filesystem;

Result<fs::path> find_media(const std::string& asked) {
  if (!asked.empty()) {
    if (fs::is_directory(asked)) return fs::path(asked);
    return fail(ErrorCode::kNotFound,
                "there is no folder '{}': --media takes the folder with the sample clips", asked);
  }
  std::error_code error;
  auto program = fs::read_symlink("/proc/self/exe", error).parent_path();
  // build/PRESET/cli/gopline, an installed bin/gopline, the repository itself
  for (const auto& folder :
       {program / "../../../media", program / "../share/gopline/media", fs::path("media")}) {
    if (fs::exists(folder / "street.mp4", error)) return fs::weakly_canonical(folder, error);
  }
  return fail(ErrorCode::kNotFound,
              "the sample clips are not beside the program: name their folder with --media");
}

Result<std::vector<DemoClip>> demo_clips(const fs::path& media) {
  std::vector<DemoClip> clips{
      {"street.mp4", "street", "H.264 with B-frames, AAC", true, {}},
      {"street_hevc.mp4", "street-hevc", "HEVC, open GOPs", true, {}},
      {"street_av1.mp4", "street-av1", "AV1", true, {}},
      {"cup.mp4", "cup", "H.264, odd time base, AAC", true, {}},
      {"bunny.mp4", "bunny", "720p, one key frame, AAC 5.1", true, {}},
      {"door_g711.mkv", "site-7/door", "H.264 baseline, G.711", false, {}},
      {"street.avi", "street-avi", "MPEG-4 v3: fits no MP4", false, {}},
  };
  for (auto& clip : clips) clip.path = media / clip.file;
  std::erase_if(clips, [](const DemoClip& clip) { return !fs::exists(clip.path); });
  if (clips.empty()) {
    return fail(ErrorCode::kNotFound, "'{}' has none of the sample clips: --media takes their folder",
                media.string());
  }
  return clips;
}

Result<DemoFolder> DemoFolder::make(const std::string& keep) {
  std::error_code error;
  if (!keep.empty()) {
    fs::create_directories(keep, error);
    if (error) return fail_errno(error.value(), keep);
    return DemoFolder(keep, true);
  }
  auto pattern = (fs::temp_directory_path(error) / "gopline-demo-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return fail_errno(errno, pattern);
  return DemoFolder(pattern, false);
}

DemoFolder::~DemoFolder() {
  std::error_code ignored;
  if (!path_.empty() && !kept_) fs::remove_all(path_, ignored);
}

}  // namespace gopline::cli
