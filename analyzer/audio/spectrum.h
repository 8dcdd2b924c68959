#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace gopline::analyzer {

// Where the energy of sound lies.
struct SpectrumFeatures {
  double centroid_hz = 0;  // the middle of it
  double rolloff_hz = 0;   // below which 85 % of it lie
  double flatness = 0;     // 0: a tone, 1: noise
  struct Band {
    int middle_hz = 0;
    double level_db = 0;  // of a sine of full scale: 0
  };
  std::vector<Band> bands;  // octaves, as far as the rate goes
};

// The mean power spectrum of one channel, from windows of 2048 samples that overlap by half. Not thread-safe.
class Spectrum {
 public:
  explicit Spectrum(int rate);

  void add(std::span<const float> samples);
  // Of what was added since it was made; all zero: not enough came.
  SpectrumFeatures features() const;

 private:
  double frequency(std::size_t bin) const;

  const int rate_;
  std::vector<float> window_, waiting_;
  std::vector<double> power_;  // of the bins, summed up
  std::size_t windows_ = 0;
};

}  // namespace gopline::analyzer
