#include "common/base/rational.h"

#include <charconv>
#include <limits>
#include <numeric>

namespace gopline {
namespace {

__extension__ using Wide = __int128;

std::int64_t saturate(Wide value) {
  if (value > std::numeric_limits<std::int64_t>::max()) return std::numeric_limits<std::int64_t>::max();
  if (value < std::numeric_limits<std::int64_t>::min()) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

Wide floor_quotient(Wide a, Wide b) {  // b > 0
  Wide quotient = a / b;
  return (a % b != 0 && a < 0) ? quotient - 1 : quotient;
}

Wide gcd(Wide a, Wide b) {
  if (a < 0) a = -a;
  while (b != 0) {
    Wide rest = a % b;
    a = b;
    b = rest;
  }
  return a == 0 ? 1 : a;
}

Rational lowest_terms(Wide num, Wide den) {
  Wide divisor = gcd(num, den);
  return {saturate(num / divisor), saturate(den / divisor)};
}

}  // namespace

std::strong_ordering operator<=>(const Rational& a, const Rational& b) {
  Wide left = static_cast<Wide>(a.num) * b.den;
  Wide right = static_cast<Wide>(b.num) * a.den;
  return left < right ? std::strong_ordering::less
                      : (left > right ? std::strong_ordering::greater : std::strong_ordering::equal);
}

bool operator==(const Rational& a, const Rational& b) {
  return (a <=> b) == 0;
}

Rational ticks_to_seconds(std::int64_t ticks, Rational time_base) {
  return {saturate(static_cast<Wide>(ticks) * time_base.num), time_base.den};
}

std::int64_t floor_div(Rational seconds, Rational unit) {
  return saturate(
      floor_quotient(static_cast<Wide>(seconds.num) * unit.den, static_cast<Wide>(seconds.den) * unit.num));
}

std::int64_t rescale(std::int64_t value, Rational from, Rational to) {
  Wide factor = static_cast<Wide>(from.num) * to.den;
  Wide divisor = static_cast<Wide>(from.den) * to.num;
  Wide common = gcd(factor, divisor);
  factor /= common;
  divisor /= common;
  Wide product = static_cast<Wide>(value) * factor;
  Wide half = divisor / 2;
  return saturate(product >= 0 ? (product + half) / divisor : -((-product + half) / divisor));
}

std::int64_t rescale_floor(std::int64_t value, Rational from, Rational to) {
  Wide factor = static_cast<Wide>(from.num) * to.den;
  Wide divisor = static_cast<Wide>(from.den) * to.num;
  Wide common = gcd(factor, divisor);
  return saturate(floor_quotient(static_cast<Wide>(value) * (factor / common), divisor / common));
}

Rational operator+(const Rational& a, const Rational& b) {
  return lowest_terms(static_cast<Wide>(a.num) * b.den + static_cast<Wide>(b.num) * a.den,
                      static_cast<Wide>(a.den) * b.den);
}

Rational operator-(const Rational& a, const Rational& b) {
  return a + Rational{-b.num, b.den};
}

std::string to_string(const Rational& value) {
  return fmt::format("{}/{}", value.num, value.den);
}

Result<Rational> parse_rational(std::string_view text) {
  Rational value;
  const char* end = text.data() + text.size();
  auto [slash, num_error] = std::from_chars(text.data(), end, value.num);
  if (num_error != std::errc() || slash == end || *slash != '/') {
    return fail(ErrorCode::kCorrupt, "'{}' is not a fraction like 1001/30000", text);
  }
  auto [rest, den_error] = std::from_chars(slash + 1, end, value.den);
  if (den_error != std::errc() || rest != end || value.den <= 0) {
    return fail(ErrorCode::kCorrupt, "'{}' is not a fraction like 1001/30000", text);
  }
  return value;
}

}  // namespace gopline
