#pragma once
#include <optional>
#include <string>
#include <variant>

#include "common/base/clock.h"
#include "common/base/strong_int.h"

namespace gopline::aggregator {

// Which epochs of a stream are meant.
struct EpochSelection {
  enum class Kind { kLatest, kAll, kOne };
  Kind kind = Kind::kLatest;
  EpochNumber number{};  // kOne

  static EpochSelection latest() { return {Kind::kLatest, {}}; }
  static EpochSelection all() { return {Kind::kAll, {}}; }
  static EpochSelection one(EpochNumber number) { return {Kind::kOne, number}; }
};

// A place in a stream: a capture time, or the offset of a record in the stream's partition.
using StreamPoint = std::variant<Timestamp, Offset>;

// What to read of one stream. Whole segments are read: from the access point at or before `from` to the
// segment that covers `to`; a segment covers [its time, its end) or the offsets of its chunks, and `to`
// itself is not asked for.
struct Selection {
  std::string topic_namespace = "gopline";
  std::string stream;
  EpochSelection epochs;
  std::optional<StreamPoint> from, to;

  bool bounded() const { return from.has_value() || to.has_value(); }
};

}  // namespace gopline::aggregator
