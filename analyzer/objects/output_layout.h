#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/record/detection.h"

namespace gopline::analyzer {

// What a network says of one picture: numbers, and how they lie.
struct NetworkOutput {
  std::vector<int> shape;  // {1, ...}
  const float* data = nullptr;
};

// How families of networks put what they see into numbers.
enum class OutputLayout {
  kFastestDet,  // {1, 5 + classes, rows, columns}: a cell each
  kYolo5,       // {1, boxes, 5 + classes}: YOLO 5 and 7, X with boxes decoded
  kYolo8,       // {1, 4 + classes, boxes}: YOLO 8, 9, 11
};
std::optional<OutputLayout> output_layout_from(std::string_view text);  // "fastestdet", "yolo5", "yolo8"
// By the shape alone. kInvalidArgument: it is none of them.
Result<OutputLayout> guess_layout(const std::vector<int>& shape);

// What is seen, of which some may be the same (best_of).
struct RawSighting {
  int class_number = 0;
  double score = 0;
  record::PictureBox box;  // inside the picture
};

// All with at least `least_score`. `width`, `height`: of the network's picture. kUnsupported: the shape is
// another's.
Result<std::vector<RawSighting>> read_output(const NetworkOutput& output, OutputLayout layout, int width,
                                             int height, double least_score);

}  // namespace gopline::analyzer
