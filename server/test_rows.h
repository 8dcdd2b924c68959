#pragma once
#include <chrono>
#include <memory>

#include "common/record/markers.h"
#include "server/entry_cache.h"
#include "server/segment_rows.h"

// For tests: segments of two seconds, and their index entries.
namespace gopline::server {

using namespace std::chrono_literals;

inline constexpr Timestamp kStart{std::chrono::seconds(1'700'000'000)};

// Its entry and its chunk lie at offset `segment`, and its ordinal is the same.
inline SegmentRow row(std::int64_t epoch, std::int64_t segment, Duration at) {
  return {
      Offset(segment), EpochNumber(epoch), SegmentNumber(segment), Ordinal(segment), kStart + at, 2s, false};
}

inline SegmentRow late(SegmentRow row) {
  row.late = true;
  return row;
}

inline std::shared_ptr<record::IndexEntry> entry(const SegmentRow& row, std::int64_t discontinuities = 0) {
  auto made = std::make_shared<record::IndexEntry>();
  made->stream = "lobby";
  made->writer = "00000000-0000-4000-8000-000000000001";
  made->epoch = row.epoch;
  made->segment = row.segment;
  made->ordinal = row.ordinal;
  made->discontinuities = discontinuities;
  made->late = row.late;
  made->offsets = {Offset(row.segment.value)};
  made->time = row.time;
  made->start = {0, 1000};
  made->duration = {row.duration.count() / 1000, 1000};
  made->size = 1000;
  made->sap = 1;
  made->init_xxh3 = "1111111111111111";
  return made;
}

}  // namespace gopline::server
