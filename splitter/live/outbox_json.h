#pragma once
#include <string>

#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/bytes/buffer_chain.h"
#include "splitter/live/outbox_item.h"

namespace gopline::splitter {

// An item as a spill keeps it: a line of JSON, and behind it the bytes of a segment or the value of the
// `epoch.started` that an epoch would begin with. For this program's own version: a spill is no archive.
struct SpilledItem {
  std::string line;  // without the line's end
  BufferChain bytes;
};
SpilledItem to_spilled(const OutboxItem& item);

// What the line alone says, for listing a spill without reading all of it.
struct SpilledSummary {
  bool is_segment = false, is_gap = false;
  int sap = 0;
  std::uint64_t size = 0;  // of a segment's bytes
  Timestamp time, end;
};
Result<SpilledSummary> summary_of(const std::string& line);

// The inverse of to_spilled(). kCorrupt: it is none.
Result<OutboxItem> from_spilled(const std::string& line, Buffer bytes);

}  // namespace gopline::splitter
