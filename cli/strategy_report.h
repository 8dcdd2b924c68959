#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "splitter/publisher.h"

// What --explain says: how payloads travelled, and why.
namespace gopline::cli {

void add(splitter::StrategyUses& sum, const splitter::StrategyUses& more);
std::string strategies_text(const splitter::StrategyUses& uses);  // a table
nlohmann::ordered_json strategies_json(const splitter::StrategyUses& uses);

}  // namespace gopline::cli
