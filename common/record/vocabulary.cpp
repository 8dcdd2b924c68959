#include "common/record/vocabulary.h"

#include <array>
#include <utility>

namespace gopline::record {
namespace {

template <typename Enum, std::size_t N>
using Words = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Words<CaptureClock, 4> kClocks{{{CaptureClock::kNtp, "ntp"},
                                          {CaptureClock::kArrival, "arrival"},
                                          {CaptureClock::kFile, "file"},
                                          {CaptureClock::kGiven, "given"}}};
constexpr Words<EndCause, 4> kEndCauses{{{EndCause::kEndOfInput, "end-of-input"},
                                         {EndCause::kStopped, "stopped"},
                                         {EndCause::kSourceLost, "source-lost"},
                                         {EndCause::kHandedOver, "handed-over"}}};
constexpr Words<GapCause, 5> kGapCauses{{{GapCause::kSourceOutage, "source-outage"},
                                         {GapCause::kOverBudget, "over-budget"},
                                         {GapCause::kLost, "lost"},
                                         {GapCause::kCorrupt, "corrupt"},
                                         {GapCause::kClock, "clock"}}};

template <typename Enum, std::size_t N>
std::string_view word_of(const Words<Enum, N>& words, Enum value) {
  for (auto [candidate, word] : words) {
    if (candidate == value) return word;
  }
  return {};
}

template <typename Enum, std::size_t N>
std::optional<Enum> value_of(const Words<Enum, N>& words, std::string_view text) {
  for (auto [value, word] : words) {
    if (word == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(CaptureClock clock) {
  return word_of(kClocks, clock);
}
std::string_view to_string(EndCause cause) {
  return word_of(kEndCauses, cause);
}
std::string_view to_string(GapCause cause) {
  return word_of(kGapCauses, cause);
}
std::optional<CaptureClock> capture_clock_from(std::string_view text) {
  return value_of(kClocks, text);
}
std::optional<EndCause> end_cause_from(std::string_view text) {
  return value_of(kEndCauses, text);
}
std::optional<GapCause> gap_cause_from(std::string_view text) {
  return value_of(kGapCauses, text);
}

}  // namespace gopline::record
