#pragma once
#include <memory>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "common/base/result.h"
#include "common/bytes/buffer.h"

namespace gopline::analyzer {

// A picture as an analyzer sees it, and what it sees there.
struct SeenPicture {
  media::Picture picture;  // as it is to be shown: upright
  std::vector<Finding> findings;
};

// Shows files of pictures to an analyzer, each for itself. Not thread-safe.
class StillLook {
 public:
  // kUnsupported: the analyzer needs more than one picture. Outlived by the kind.
  static Result<std::unique_ptr<StillLook>> open(const AnalyzerKind& kind);

  // `number`: which picture this is, for analyzers that tell. kUnsupported, kCorrupt: the file is no
  // picture, or broken. kInternal: the analyzer's error; the next picture is shown to a new one.
  Result<SeenPicture> look(const Buffer& file, const std::string& subject, std::int64_t number,
                           Timestamp time);

 private:
  explicit StillLook(const AnalyzerKind& kind) : kind_(kind), converter_(kind.wishes().picture) {}
  Result<void> show(const Frame& frame, std::vector<Finding>& findings);

  const AnalyzerKind& kind_;
  media::PictureConverter converter_;
  std::unique_ptr<Analyzer> analyzer_;
};

}  // namespace gopline::analyzer
