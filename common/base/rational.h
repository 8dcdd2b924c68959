#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace gopline {

// An exact fraction num/den with den > 0. Used for time bases and for media time in seconds; never rounded
// through a double.
struct Rational {
  std::int64_t num = 0;
  std::int64_t den = 1;

  double to_double() const { return static_cast<double>(num) / static_cast<double>(den); }
};

// Compares values, not representations: 1/2 equals 2/4. Exact (128-bit products).
std::strong_ordering operator<=>(const Rational& a, const Rational& b);
bool operator==(const Rational& a, const Rational& b);

// ticks * base.num / base.den as a fraction of a second. Exact; lowest terms are not kept.
// Overflow is impossible for |ticks| < 2^63 / base.num, which every container FFmpeg reads obeys.
Rational ticks_to_seconds(std::int64_t ticks, Rational time_base);

// floor(seconds / unit): how many whole units. `unit` > 0.
std::int64_t floor_div(Rational seconds, Rational unit);

// value * from / to, rounded to nearest, halves away from zero (FFmpeg's AV_ROUND_NEAR_INF). 128-bit inside;
// saturates.
std::int64_t rescale(std::int64_t value, Rational from, Rational to);
// The same, rounded towards minus infinity.
std::int64_t rescale_floor(std::int64_t value, Rational from, Rational to);

// The time base of Duration and Timestamp: FFmpeg's AV_TIME_BASE_Q.
inline constexpr Rational kMicroseconds{1, 1'000'000};

Rational operator+(const Rational& a, const Rational& b);
Rational operator-(const Rational& a, const Rational& b);

std::string to_string(const Rational& value);            // "1001/30000"
Result<Rational> parse_rational(std::string_view text);  // "1001/30000"; den > 0

}  // namespace gopline
