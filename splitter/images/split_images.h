#pragma once
#include <functional>
#include <optional>

#include "common/base/rational.h"
#include "splitter/images/picture_files.h"
#include "splitter/images/picture_folder.h"
#include "splitter/splitter.h"

namespace gopline::splitter {

struct ImageOptions {
  PictureFiles files;
  std::optional<Rational> rate;          // so many a second, whatever the files say
  bool follow = false;                   // goes on with what comes, until stopped
  FolderOptions folder;                  // follow
  std::uint64_t most_bytes = 256 << 20;  // of a file; a larger one is passed over as a broken one is
};

// Stores pictures as a stream: each a segment of one key frame, the file's bytes unchanged, in the order in
// which PictureFolder has them. Of `options` those count that are not of videos: stream, start_time,
// payloads, topics, digests. A picture is decoded once before it is stored; one that is broken is named,
// counted in the report, and a gap of cause `corrupt` where an epoch is open; the others go on. Another size
// and another kind of file (JPEG, PNG, TIFF) begin a new epoch. What one picture and the next are apart is
// how long it lasts; one that nothing follows yet leaves at once, and lasts at most a tenth of a second.
// kNotFound: there are no pictures. Else errors and `on_progress` as split().
Result<SplitReport> split_images(Log& log, const Clock& clock, const SplitOptions& options,
                                 const ImageOptions& images,
                                 const std::function<void(const SplitProgress&)>& on_progress,
                                 StopToken stop);

}  // namespace gopline::splitter
