#pragma once
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "aggregator/follow/resequencer.h"

// Short words for the resequencer's tests.
namespace gopline::aggregator::testing {

using namespace std::chrono_literals;

inline constexpr EpochNumber kFirst{7}, kSecond{9};

inline Position at(std::int64_t segment, std::int64_t part = 0, EpochNumber epoch = kFirst) {
  return {epoch, segment, part};
}

inline Piece piece(const Position& position, int sap = 1, bool last = true, std::size_t bytes = 100) {
  Piece piece;
  piece.at = position;
  piece.last = last;
  piece.sap = sap;
  piece.start = position.segment * 1s;
  piece.duration = 1s;
  piece.time = Timestamp(position.segment * 1s);
  piece.bytes = bytes;
  return piece;
}

// "7:3.0" is a piece, "!" one after a gap, "~" one whose leading pictures go.
inline std::string show(const Position& position) {
  return fmt::format("{}:{}.{}", position.epoch, position.segment, position.part);
}
inline std::string show(const PlayoutItem& item) {
  if (const auto* join = std::get_if<EpochJoin>(&item)) {
    auto from = join->from ? fmt::format("{}{}", *join->from, join->from_ended ? "" : "?") : "";
    auto over = join->passed_over > 0 ? fmt::format(" over {}", join->passed_over) : "";
    return fmt::format("join {}>{}{}{}", from, join->to, join->from_its_start ? "" : " inside", over);
  }
  if (const auto* gap = std::get_if<PlayoutGap>(&item)) {
    const std::map<AbsenceCause, const char*> causes{{AbsenceCause::kLost, "lost"},
                                                     {AbsenceCause::kCorrupt, "corrupt"},
                                                     {AbsenceCause::kOverBudget, "over-budget"},
                                                     {AbsenceCause::kSourceOutage, "outage"},
                                                     {AbsenceCause::kClock, "clock"},
                                                     {AbsenceCause::kMissingBlob, "missing"}};
    const auto* cause = causes.at(gap->cause);
    return fmt::format("{} {}-{}{}{}", cause, show(gap->begin), show(gap->end),
                       gap->unplayable > 0 ? fmt::format(" unplayable {}", gap->unplayable) : "",
                       gap->continues ? " on" : "");
  }
  const auto& out = std::get<PlayoutPiece>(item);
  return show(out.piece.at) + (out.resumes ? "!" : "") + (out.drop_leading ? "~" : "");
}

inline std::vector<std::string> take_all(Resequencer& order) {
  std::vector<std::string> items;
  while (auto item = order.take()) items.push_back(show(*item));
  return items;
}

// What is due at once: without what somebody has to wait for.
inline std::vector<std::string> take_statements(Resequencer& order) {
  std::vector<std::string> items;
  for (auto next = order.next(); next && !next->piece; next = order.next())
    items.push_back(show(*order.take()));
  return items;
}

}  // namespace gopline::aggregator::testing
