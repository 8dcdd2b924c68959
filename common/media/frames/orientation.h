#pragma once
#include <vector>

#include "common/media/types.h"

namespace gopline::media {

// How a stored picture is turned before it is shown: first mirrored along its diagonal, then flipped.
struct Orientation {
  bool transposed = false;  // rows become columns
  bool flip_x = false;      // then left and right change places
  bool flip_y = false;      // then top and bottom
  bool operator==(const Orientation&) const = default;
};

// As the display matrix among a track's side data says (ISO/IEC 14496-12, 8.3.2.3), to the nearest quarter
// turn; without one, as stored.
Orientation orientation_of(const std::vector<SideData>& side_data);

}  // namespace gopline::media
