#include "analyzer/audio/spectrum.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <opencv2/core.hpp>

namespace gopline::analyzer {
namespace {

constexpr std::size_t kWindow = 2048;
constexpr std::size_t kHop = kWindow / 2;
constexpr double kRolloff = 0.85;
constexpr double kSilence = 1e-12;  // power: -120 dB
constexpr int kLowestBand = 63;

}  // namespace

Spectrum::Spectrum(int rate) : rate_(rate), window_(kWindow), power_(kWindow / 2 + 1) {
  for (std::size_t i = 0; i < kWindow; ++i) {
    auto phase = 2 * std::numbers::pi * static_cast<double>(i) / kWindow;
    window_[i] = static_cast<float>(0.5 - 0.5 * std::cos(phase));  // Hann's
  }
}

void Spectrum::add(std::span<const float> samples) {
  waiting_.insert(waiting_.end(), samples.begin(), samples.end());
  std::size_t done = 0;
  for (; waiting_.size() - done >= kWindow; done += kHop) {
    cv::Mat in(1, kWindow, CV_32F), out;
    for (std::size_t i = 0; i < kWindow; ++i)
      in.at<float>(static_cast<int>(i)) = waiting_[done + i] * window_[i];
    cv::dft(in, out, cv::DFT_COMPLEX_OUTPUT);
    for (std::size_t bin = 0; bin < power_.size(); ++bin) {
      const auto& one = out.at<cv::Vec2f>(static_cast<int>(bin));
      power_[bin] += static_cast<double>(one[0]) * one[0] + static_cast<double>(one[1]) * one[1];
    }
    ++windows_;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
}

double Spectrum::frequency(std::size_t bin) const {
  return static_cast<double>(bin) * rate_ / kWindow;
}

SpectrumFeatures Spectrum::features() const {
  SpectrumFeatures features;
  if (windows_ == 0) return features;
  // Of a sine of full scale Hann's window leaves a quarter of the window in its bin, and a half of that
  // beside it on each side: 3/32 of the square of its length in power.
  auto full = 3.0 / 32 * kWindow * kWindow * static_cast<double>(windows_);
  double total = 0, weighted = 0, logarithms = 0;
  for (std::size_t bin = 1; bin < power_.size(); ++bin) {
    auto power = power_[bin] / full;
    total += power;
    weighted += power * frequency(bin);
    logarithms += std::log(power + kSilence);
  }
  auto bins = static_cast<double>(power_.size() - 1);
  features.centroid_hz = total > kSilence ? weighted / total : 0;
  features.flatness = std::exp(logarithms / bins) / (total / bins + kSilence);
  double so_far = 0;
  for (std::size_t bin = 1; bin < power_.size() && total > kSilence; ++bin) {
    so_far += power_[bin] / full;
    features.rolloff_hz = frequency(bin);
    if (so_far >= kRolloff * total) break;
  }
  for (int middle = kLowestBand; middle * std::numbers::sqrt2 < rate_ / 2.0;
       middle = middle == kLowestBand ? 125 : 2 * middle) {
    double power = 0;
    for (std::size_t bin = 1; bin < power_.size(); ++bin) {
      bool is_in =
          frequency(bin) >= middle / std::numbers::sqrt2 && frequency(bin) < middle * std::numbers::sqrt2;
      if (is_in) power += power_[bin] / full;
    }
    features.bands.push_back({middle, 10 * std::log10(power + kSilence)});
  }
  return features;
}

}  // namespace gopline::analyzer
