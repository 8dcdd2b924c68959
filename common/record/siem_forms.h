#pragma once
#include <map>
#include <string>
#include <string_view>

#include "common/record/detection.h"

// Events as systems that collect security events take them: a line of JSON for each record.
namespace gopline::record {

// OCSF 1.5, Detection Finding: created as an event starts, updated, closed as it ends.
std::string to_ocsf(const Detection& detection, std::string_view program_version);
// Elastic Common Schema 8.11; what it has no word for is under "gopline".
std::string to_ecs(const Detection& detection, std::string_view program_version);

// What reference tables say of an event, as names and values: of a name that several have, the last one's.
std::map<std::string, std::string> labels_of(const Detection& detection);

}  // namespace gopline::record
