#pragma once
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "aggregator/stream_item.h"

// How commands tell what is missing.
namespace gopline::cli {

std::string absences_table(const std::vector<aggregator::Absence>& absences);
nlohmann::ordered_json absence_json(const aggregator::Absence& absence);

}  // namespace gopline::cli
