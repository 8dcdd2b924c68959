#pragma once
#include <memory>
#include <string>
#include <vector>

#include "analyzer/objects/output_layout.h"
#include "common/base/result.h"
#include "common/media/frames/picture.h"

namespace gopline::analyzer {

// A network in an ONNX file that sees objects in pictures. Not thread-safe.
class Detector {
 public:
  virtual ~Detector() = default;
  // kInvalidArgument: it is no network that OpenCV can run.
  static Result<std::unique_ptr<Detector>> load(const std::string& path, OutputLayout layout);
  // What comes out when a picture of this size goes in. kInvalidArgument: none that is known, or that the
  // network does not take such pictures.
  static Result<OutputLayout> try_layout(const std::string& path, int width, int height);

  // A picture in bgr24, of the network's size.
  virtual Result<std::vector<RawSighting>> look(const media::Picture& picture, double least_score) = 0;
};

}  // namespace gopline::analyzer
