#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "aggregator/follow_meter.h"
#include "aggregator/stream_item.h"

// What people and programs are told of a stream that is followed.
namespace gopline::cli {

// One line without its end, for a gap as it is stated.
std::string gap_line(const std::string& stream, const aggregator::Absence& absence);

// How it goes, on one line of a terminal.
std::string stats_row(const aggregator::FollowStats& stats);

// How it went: a few lines.
std::string stats_text(const aggregator::FollowStats& stats);

nlohmann::ordered_json stats_json(const aggregator::FollowStats& stats);

}  // namespace gopline::cli
