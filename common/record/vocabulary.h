#pragma once
#include <optional>
#include <string_view>

// The words that records use for kinds and causes, and their spelling in headers and JSON:
// docs/record-format.md, section 2.
namespace gopline::record {

// Whose clock a capture time is.
enum class CaptureClock { kNtp, kArrival, kFile, kGiven };
std::string_view to_string(CaptureClock clock);  // "ntp", "arrival", "file", "given"
std::optional<CaptureClock> capture_clock_from(std::string_view text);

// Why an epoch ended.
enum class EndCause { kEndOfInput, kStopped, kSourceLost, kHandedOver };
std::string_view to_string(EndCause cause);  // "end-of-input", "stopped", "source-lost", "handed-over"
std::optional<EndCause> end_cause_from(std::string_view text);

// Why footage is absent.
enum class GapCause { kSourceOutage, kOverBudget, kLost, kCorrupt, kClock };
std::string_view to_string(GapCause cause);  // "source-outage", "over-budget", "lost", "corrupt", "clock"
std::optional<GapCause> gap_cause_from(std::string_view text);

}  // namespace gopline::record
