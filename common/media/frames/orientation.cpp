#include "common/media/frames/orientation.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "common/media/side_data_ids.h"

namespace gopline::media {

Orientation orientation_of(const std::vector<SideData>& side_data) {
  for (const auto& one : side_data) {
    // {a, b, u, c, d, v, x, y, w}: a point (p, q) is shown at (a p + c q, b p + d q).
    std::array<std::int32_t, 9> matrix{};
    if (one.id != side_data_ids::kDisplayMatrix || one.bytes.size() != sizeof matrix) continue;
    std::memcpy(matrix.data(), one.bytes.data(), sizeof matrix);
    auto [a, b, c, d] = std::array<std::int64_t, 4>{matrix[0], matrix[1], matrix[3], matrix[4]};
    if (std::abs(b) + std::abs(c) > std::abs(a) + std::abs(d)) return {true, c < 0, b < 0};
    return {false, a < 0, d < 0};
  }
  return {};
}

}  // namespace gopline::media
