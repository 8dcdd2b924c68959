#pragma once
#include <string_view>

#include "aggregator/selection.h"
#include "common/base/result.h"

// Which part of a stream is meant, in words.
namespace gopline::cli {

// "latest", "all" or a number as `gopline inspect` shows it.
Result<aggregator::EpochSelection> parse_epoch(std::string_view text);

// A capture time ("2026-11-22T18:30:00Z"), or the offset of a record as `gopline inspect` shows it ("1234").
Result<aggregator::StreamPoint> parse_point(std::string_view text);

}  // namespace gopline::cli
