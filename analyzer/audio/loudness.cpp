#include "analyzer/audio/loudness.h"

#include <algorithm>
#include <cmath>
#include <new>

#include <ebur128.h>

namespace gopline::analyzer {
namespace {

constexpr int kMomentMode = EBUR128_MODE_M;
constexpr int kWholeMode = EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_SAMPLE_PEAK;

// Below the gate of BS.1770 nothing is measured.
std::optional<double> heard(int code, double value) {
  constexpr double kGate = -70;
  if (code != EBUR128_SUCCESS || !std::isfinite(value) || value < kGate) return std::nullopt;
  return value;
}

}  // namespace

struct Loudness::State {
  State(int channel_count, int rate, Of of)
      : channels(static_cast<unsigned>(channel_count)),
        handle(ebur128_init(channels, static_cast<unsigned long>(rate),
                            of == Of::kMoment ? kMomentMode : kWholeMode)) {
    if (!handle) throw std::bad_alloc();
  }
  ~State() { ebur128_destroy(&handle); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  unsigned channels;
  ebur128_state* handle;
};

Loudness::Loudness(int channels, int rate, Of of) : state_(std::make_unique<State>(channels, rate, of)) {}
Loudness::~Loudness() = default;
Loudness::Loudness(Loudness&&) noexcept = default;
Loudness& Loudness::operator=(Loudness&&) noexcept = default;

void Loudness::add(std::span<const float> samples) {
  (void)ebur128_add_frames_float(state_->handle, samples.data(), samples.size() / state_->channels);
}

std::optional<double> Loudness::momentary() const {
  double value = 0;
  int code = ebur128_loudness_momentary(state_->handle, &value);
  return heard(code, value);
}

std::optional<double> Loudness::integrated() const {
  double value = 0;
  int code = ebur128_loudness_global(state_->handle, &value);
  return heard(code, value);
}

std::optional<double> Loudness::range() const {
  double value = 0;
  if (ebur128_loudness_range(state_->handle, &value) != EBUR128_SUCCESS) return std::nullopt;
  return value;
}

std::optional<double> Loudness::peak() const {
  double most = 0;
  for (unsigned channel = 0; channel < state_->channels; ++channel) {
    double value = 0;
    if (ebur128_sample_peak(state_->handle, channel, &value) == EBUR128_SUCCESS) most = std::max(most, value);
  }
  if (most <= 0) return std::nullopt;
  return 20 * std::log10(most);
}

}  // namespace gopline::analyzer
