#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"

// Where the demo finds its clips and keeps its files.
namespace gopline::cli {

// A clip of the demo, and the container in which it goes back.
struct DemoClip {
  std::string file;  // in the media folder
  std::string stream;
  std::string what;      // for people
  bool fits_mp4 = true;  // else only its own container is made
  std::filesystem::path path;

  std::string extension() const { return path.extension().string(); }
};

// The folder with the sample clips: `asked` where given, else beside the program, its build folder or the
// working folder. kNotFound says how to name it.
Result<std::filesystem::path> find_media(const std::string& asked);

// The demo's clips that are in the folder; kNotFound when there is none.
Result<std::vector<DemoClip>> demo_clips(const std::filesystem::path& media);

// A folder that is removed with this object, unless the user named one to keep.
class DemoFolder {
 public:
  static Result<DemoFolder> make(const std::string& keep);
  ~DemoFolder();
  DemoFolder(DemoFolder&& other) noexcept : path_(std::move(other.path_)), kept_(other.kept_) {
    other.path_.clear();
  }
  DemoFolder& operator=(DemoFolder&&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  DemoFolder(std::filesystem::path path, bool kept) : path_(std::move(path)), kept_(kept) {}
  std::filesystem::path path_;
  bool kept_;
};

}  // namespace gopline::cli
