#include "analyzer/sighting.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace gopline::analyzer {

record::PictureBox box_between(double left, double top, double right, double bottom) {
  auto rounded = [](double value) { return std::round(1e4 * std::clamp(value, 0.0, 1.0)) / 1e4; };
  auto x = rounded(left), y = rounded(top);
  return {x, y, rounded(right) - x, rounded(bottom) - y};
}

double overlap(const record::PictureBox& a, const record::PictureBox& b) {
  auto width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  auto height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  auto shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

std::vector<Sighting> best_of(std::vector<Sighting> sightings, double most_overlap) {
  std::ranges::sort(sightings, [](const Sighting& a, const Sighting& b) {
    return std::tie(b.score, a.class_name, a.box.x, a.box.y) <
           std::tie(a.score, b.class_name, b.box.x, b.box.y);
  });
  std::vector<Sighting> best;
  for (auto& one : sightings) {
    bool is_another = std::ranges::none_of(best, [&](const Sighting& better) {
      return better.class_name == one.class_name && overlap(better.box, one.box) > most_overlap;
    });
    if (is_another) best.push_back(std::move(one));
  }
  return best;
}

}  // namespace gopline::analyzer
