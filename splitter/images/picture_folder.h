#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "splitter/images/picture_files.h"

namespace gopline::splitter {

// How a folder says that there is something new in it.
enum class FolderNews {
  kAuto,    // kEvents; kLooks on file systems where others write unseen (NFS, SMB, FUSE ...)
  kEvents,  // inotify
  kLooks,   // somebody looks, again and again
};

struct FolderOptions {
  bool new_only = false;  // what is there at the beginning is passed over
  FolderNews news = FolderNews::kAuto;
  Duration between_looks = std::chrono::seconds(1);
};

// The pictures of a folder: those that are there, in natural order, and then those that come, in the order in
// which they are complete. A file that is written is complete when its writer closes it, or gives it its
// name; where only looks tell, when two of them find the same size and time of modification. One that is
// written again is another picture. One thread.
class PictureFolder {
 public:
  virtual ~PictureFolder() = default;

  // Errors name the folder.
  static Result<std::unique_ptr<PictureFolder>> open(PictureFiles files, const FolderOptions& options);

  // Paths of pictures; waits until there are some. None: `stop` was requested. kNotFound: the folder has
  // gone.
  virtual Result<std::vector<std::string>> next(const StopToken& stop) = 0;
};

}  // namespace gopline::splitter
