#include "aggregator/mosaic/sound_line.h"

#include <algorithm>

#include "common/base/rational.h"

namespace gopline::aggregator {
namespace {

std::int64_t sample_at(Timestamp time) {
  return rescale(time.time_since_epoch().count(), {1, 1'000'000}, {1, SoundLine::kRate});
}

}  // namespace

void SoundLine::push(Timestamp time, const std::vector<float>& samples) {
  constexpr std::int64_t kClose = kRate * kTolerance / std::chrono::seconds(1);
  auto count = static_cast<std::int64_t>(samples.size()) / kChannels;
  auto begin = sample_at(time);
  if (begin - end_ < kClose && end_ - begin < kClose) begin = end_;
  auto skipped = std::clamp<std::int64_t>(end_ - begin, 0, count);
  if (skipped == count) return;
  Piece piece{begin + skipped, {samples.begin() + skipped * kChannels, samples.begin() + count * kChannels}};
  end_ = piece.end();
  bytes_ += piece.samples.size() * sizeof(float);
  waiting_.push_back(std::move(piece));
}

std::vector<float> SoundLine::take(Timestamp from, Timestamp until) {
  auto begin = sample_at(from), end = std::max(sample_at(until), begin);
  std::vector<float> out(static_cast<std::size_t>((end - begin) * kChannels), 0.0F);
  for (const auto& piece : waiting_) {
    auto first = std::max(piece.begin, begin), last = std::min(piece.end(), end);
    if (first >= last) continue;
    std::copy(piece.samples.begin() + (first - piece.begin) * kChannels,
              piece.samples.begin() + (last - piece.begin) * kChannels,
              out.begin() + (first - begin) * kChannels);
  }
  while (!waiting_.empty() && waiting_.front().end() <= end) {
    bytes_ -= waiting_.front().samples.size() * sizeof(float);
    waiting_.pop_front();
  }
  end_ = std::max(end_, end);
  return out;
}

}  // namespace gopline::aggregator
