#include "analyzer/mark.h"

#include <fmt/format.h>

namespace gopline::analyzer {

media::Mark mark_of(const std::string& class_name, const std::string& zone, std::optional<double> score,
                    const std::optional<record::PictureBox>& box) {
  media::Mark mark;
  if (box) {
    mark.x = box->x;
    mark.y = box->y;
    mark.width = box->width;
    mark.height = box->height;
  }
  mark.word = class_name;
  if (!zone.empty()) mark.word += " " + zone;
  if (score) mark.word += fmt::format(" {:.2f}", *score);
  for (char one : class_name) mark.colour = (31 * mark.colour + static_cast<unsigned char>(one)) % 9973;
  return mark;
}

}  // namespace gopline::analyzer
