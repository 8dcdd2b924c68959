#pragma once
#include <optional>
#include <string>

#include "common/media/frames/marker_pen.h"
#include "common/record/detection.h"

namespace gopline::analyzer {

// How what was found is drawn: a frame around its box, or the whole picture, with class, zone and score on
// it. A class has the same colour wherever it is seen.
media::Mark mark_of(const std::string& class_name, const std::string& zone, std::optional<double> score,
                    const std::optional<record::PictureBox>& box);

}  // namespace gopline::analyzer
