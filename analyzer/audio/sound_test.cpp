#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "analyzer/audio/loudness.h"
#include "analyzer/audio/spectrum.h"

namespace gopline::analyzer {
namespace {

constexpr int kRate = 48'000;

std::vector<float> sine(double hz, double peak_db, int seconds) {
  std::vector<float> samples(static_cast<std::size_t>(seconds) * kRate);
  auto peak = std::pow(10, peak_db / 20);
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] =
        static_cast<float>(peak * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / kRate));
  return samples;
}

// BS.1770: 997 Hz at full scale in one channel is -3.01 LKFS.
TEST(Loudness, OfTheSineOfTheStandard) {
  Loudness loudness(1, kRate, Loudness::Of::kWhole);
  loudness.add(sine(997, -20, 5));
  ASSERT_TRUE(loudness.integrated() && loudness.momentary() && loudness.peak());
  EXPECT_NEAR(*loudness.integrated(), -23.0, 0.1);
  EXPECT_NEAR(*loudness.momentary(), -23.0, 0.1);
  EXPECT_NEAR(*loudness.peak(), -20.0, 0.1);
}

TEST(Loudness, OfWhatIsLeftOfItAfterSilence) {
  Loudness loudness(1, kRate, Loudness::Of::kWhole);
  loudness.add(sine(997, -20, 5));
  loudness.add(std::vector<float>(5 * kRate));
  EXPECT_NEAR(*loudness.integrated(), -23.0, 0.2)
      << "silence does not count, but for what is left in the last block";
  EXPECT_FALSE(loudness.momentary()) << "and is not loud";
}

TEST(Loudness, OfNothing) {
  Loudness loudness(1, kRate, Loudness::Of::kWhole);
  EXPECT_FALSE(loudness.integrated());
  EXPECT_FALSE(loudness.peak());
}

TEST(Spectrum, OfATone) {
  Spectrum spectrum(kRate);
  spectrum.add(sine(1000, -20, 2));
  auto features = spectrum.features();
  EXPECT_NEAR(features.centroid_hz, 1000, 10);
  EXPECT_NEAR(features.rolloff_hz, 1000, 30);
  EXPECT_LT(features.flatness, 0.01);
  ASSERT_EQ(features.bands.size(), 9U);  // 63 Hz to 16 kHz
  for (const auto& band : features.bands) {
    if (band.middle_hz == 1000) {
      EXPECT_NEAR(band.level_db, -20, 0.2);
    } else {
      EXPECT_LT(band.level_db, -50) << band.middle_hz;
    }
  }
}

TEST(Spectrum, OfNoise) {
  Spectrum spectrum(kRate);
  std::mt19937 chance(1);
  std::uniform_real_distribution<float> any(-0.5F, 0.5F);
  std::vector<float> samples(4 * kRate);
  for (auto& sample : samples) sample = any(chance);
  spectrum.add(samples);
  EXPECT_NEAR(spectrum.features().centroid_hz, kRate / 4.0, 500);
  EXPECT_GT(spectrum.features().flatness, 0.8);
}

TEST(Spectrum, DoesNotCareHowItComes) {
  Spectrum whole(kRate), pieces(kRate);
  auto samples = sine(440, -6, 1);
  whole.add(samples);
  for (std::size_t at = 0; at < samples.size(); at += 1000)
    pieces.add(std::span(samples).subspan(at, std::min<std::size_t>(1000, samples.size() - at)));
  EXPECT_EQ(whole.features().centroid_hz, pieces.features().centroid_hz);
  EXPECT_EQ(Spectrum(kRate).features().bands.size(), 0U);
}

}  // namespace
}  // namespace gopline::analyzer
