#include "cli/strategy_report.h"

#include <algorithm>

#include "cli/table.h"
#include "cli/text_forms.h"
#include "common/base/text.h"

namespace gopline::cli {

void add(splitter::StrategyUses& sum, const splitter::StrategyUses& more) {
  for (const auto& [strategy, use] : more) {
    auto& total = sum[strategy];
    total.smallest = total.payloads == 0 ? use.smallest : std::min(total.smallest, use.smallest);
    total.largest = std::max(total.largest, use.largest);
    total.payloads += use.payloads;
    total.bytes += use.bytes;
    total.reason = use.reason;
  }
}

std::string strategies_text(const splitter::StrategyUses& uses) {
  Table table({{"PAYLOADS", Align::kRight},
               {"BYTES", Align::kRight},
               {"SMALLEST", Align::kRight},
               {"LARGEST", Align::kRight},
               {"TRAVELLED"},
               {"WHY (THE NEWEST)"}});
  for (const auto& [strategy, use] : uses) {
    table.add_row({show_count(use.payloads), format_bytes(use.bytes), format_bytes(use.smallest),
                   format_bytes(use.largest), std::string(to_string(strategy)), use.reason});
  }
  return table.to_string();
}

nlohmann::ordered_json strategies_json(const splitter::StrategyUses& uses) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& [strategy, use] : uses) {
    json.push_back({{"strategy", to_string(strategy)},
                    {"payloads", use.payloads},
                    {"bytes", use.bytes},
                    {"smallest", use.smallest},
                    {"largest", use.largest},
                    {"reason", use.reason}});
  }
  return json;
}

}  // namespace gopline::cli
