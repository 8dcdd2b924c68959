#include "analyzer/objects/output_layout.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/ranges.h>

#include "analyzer/sighting.h"

namespace gopline::analyzer {
namespace {

constexpr int kBoxNumbers = 4;

record::PictureBox box_of(double middle_x, double middle_y, double width, double height) {
  return box_between(middle_x - width / 2, middle_y - height / 2, middle_x + width / 2,
                     middle_y + height / 2);
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// The best class of those at `first`, `step` numbers apart.
std::pair<int, float> best_class(const float* first, std::size_t step, int classes) {
  int best = 0;
  for (int i = 1; i < classes; ++i) {
    if (first[static_cast<std::size_t>(i) * step] > first[static_cast<std::size_t>(best) * step]) best = i;
  }
  return {best, first[static_cast<std::size_t>(best) * step]};
}

std::vector<RawSighting> read_fastest_det(const NetworkOutput& output, double least_score) {
  int classes = output.shape[1] - 5, rows = output.shape[2], columns = output.shape[3];
  auto plane = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  std::vector<RawSighting> seen;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const auto* cell = output.data + static_cast<std::ptrdiff_t>(row) * columns + column;
      auto [class_number, class_score] = best_class(cell + 5 * plane, plane, classes);
      auto score = std::pow(cell[0], 0.6) * std::pow(class_score, 0.4);
      if (!(score >= least_score)) continue;
      auto x = (column + std::tanh(cell[plane])) / columns, y = (row + std::tanh(cell[2 * plane])) / rows;
      seen.push_back({class_number, score, box_of(x, y, sigmoid(cell[3 * plane]), sigmoid(cell[4 * plane]))});
    }
  }
  return seen;
}

// Boxes in pixels of the network's picture; `box_step`: numbers from one to the next, `step`: from one number
// of a box to the next.
std::vector<RawSighting> read_boxes(const NetworkOutput& output, int boxes, std::size_t box_step,
                                    std::size_t step, bool has_objectness, int classes, int width, int height,
                                    double least_score) {
  std::vector<RawSighting> seen;
  for (int i = 0; i < boxes; ++i) {
    const auto* box = output.data + static_cast<std::size_t>(i) * box_step;
    auto classes_from = static_cast<std::size_t>(kBoxNumbers + (has_objectness ? 1 : 0)) * step;
    auto [class_number, class_score] = best_class(box + classes_from, step, classes);
    double score = class_score * (has_objectness ? box[kBoxNumbers * step] : 1.0F);
    if (!(score >= least_score)) continue;
    seen.push_back(
        {class_number, score,
         box_of(box[0] / width, box[step] / height, box[2 * step] / width, box[3 * step] / height)});
  }
  return seen;
}

bool fits(OutputLayout layout, const std::vector<int>& shape) {
  bool is_one = !shape.empty() && shape[0] == 1;
  switch (layout) {
    case OutputLayout::kFastestDet:
      return is_one && shape.size() == 4 && shape[1] > 5;
    case OutputLayout::kYolo5:
      return is_one && shape.size() == 3 && shape[2] > 5;
    case OutputLayout::kYolo8:
      return is_one && shape.size() == 3 && shape[1] > kBoxNumbers;
  }
  return false;
}

}  // namespace

std::optional<OutputLayout> output_layout_from(std::string_view text) {
  if (text == "fastestdet") return OutputLayout::kFastestDet;
  if (text == "yolo5") return OutputLayout::kYolo5;
  if (text == "yolo8") return OutputLayout::kYolo8;
  return std::nullopt;
}

Result<OutputLayout> guess_layout(const std::vector<int>& shape) {
  if (fits(OutputLayout::kFastestDet, shape)) return OutputLayout::kFastestDet;
  // There are thousands of boxes, and fewer classes.
  bool is_boxes = shape.size() == 3 && shape[0] == 1;
  if (is_boxes && shape[1] > shape[2] && fits(OutputLayout::kYolo5, shape)) return OutputLayout::kYolo5;
  if (is_boxes && shape[2] > shape[1] && fits(OutputLayout::kYolo8, shape)) return OutputLayout::kYolo8;
  return fail(
      ErrorCode::kInvalidArgument,
      "what comes out of the network has the shape {}, which is none that is known: {{1, 5 + classes, rows, "
      "columns}}, {{1, boxes, 5 + classes}}, {{1, 4 + classes, boxes}}",
      fmt::join(shape, "x"));
}

Result<std::vector<RawSighting>> read_output(const NetworkOutput& output, OutputLayout layout, int width,
                                             int height, double least_score) {
  const auto& shape = output.shape;
  if (!fits(layout, shape)) {
    return fail(ErrorCode::kUnsupported,
                "what comes out of the network has the shape {}, which is another layout's",
                fmt::join(shape, "x"));
  }
  switch (layout) {
    case OutputLayout::kFastestDet:
      return read_fastest_det(output, least_score);
    case OutputLayout::kYolo5:
      return read_boxes(output, shape[1], static_cast<std::size_t>(shape[2]), 1, true, shape[2] - 5, width,
                        height, least_score);
    case OutputLayout::kYolo8:
      break;
  }
  return read_boxes(output, shape[2], 1, static_cast<std::size_t>(shape[2]), false, shape[1] - kBoxNumbers,
                    width, height, least_score);
}

}  // namespace gopline::analyzer
