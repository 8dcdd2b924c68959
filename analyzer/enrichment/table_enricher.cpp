#include "analyzer/enrichment/table_enricher.h"

#include <set>
#include <utility>

#include <fmt/ranges.h>

#include "common/base/logging.h"

namespace gopline::analyzer {
namespace {

constexpr auto kBetweenLooks = std::chrono::seconds(1);
constexpr std::size_t kMostKeysSaid = 1000;

// What a table is asked; nullopt: the event has no such thing.
std::optional<std::string> key_of(const record::Detection& event, const std::vector<std::string>& by) {
  std::string key;
  for (const auto& name : by) {
    const auto& value = name == "stream"  ? event.stream
                        : name == "zone"  ? event.zone
                        : name == "class" ? event.class_name
                                          : event.track;
    if (value.empty()) return std::nullopt;
    if (!key.empty()) key += '|';
    key += value;
  }
  return key;
}

class TableEnricher final : public Enricher {
 public:
  explicit TableEnricher(std::vector<TableToJoin> tables) {
    for (auto& table : tables) {
      auto& joined = tables_.emplace_back();
      joined.by = fmt::format("{}", fmt::join(table.by, "|"));
      joined.count.table = table.name;
      joined.table = std::move(table);
    }
  }

  void refresh(SteadyTime now) override {
    if (now < look_at_) return;
    look_at_ = now + kBetweenLooks;
    for (auto& one : tables_) {
      if (auto refreshed = one.table.source->refresh(); !refreshed)
        log_warning(one.table.name, "{}; the rows from before stay", refreshed.error().message);
    }
  }

  void enrich(record::Detection& event) override {
    event.enrichments.clear();  // of an attempt before
    for (auto& one : tables_) {
      auto key = key_of(event, one.table.by);
      if (!key) continue;
      if (const auto* row = one.table.source->find(*key)) {
        ++one.count.joined;
        event.enrichments.push_back({one.table.name, row->version, one.by, *key, row->data});
        continue;
      }
      ++one.count.unknown;
      if (one.said.size() < kMostKeysSaid && one.said.insert(*key).second)
        log_warning(one.table.name, "knows no {} '{}': its events go on without", one.by, *key);
    }
  }

  std::vector<EnrichmentCount> counts() const override {
    std::vector<EnrichmentCount> counts;
    for (const auto& one : tables_) counts.push_back(one.count);
    return counts;
  }

 private:
  struct Joined {
    TableToJoin table;
    std::string by;
    EnrichmentCount count;
    std::set<std::string> said;
  };
  std::vector<Joined> tables_;
  SteadyTime look_at_{};
};

}  // namespace

std::unique_ptr<Enricher> make_table_enricher(std::vector<TableToJoin> tables) {
  return std::make_unique<TableEnricher>(std::move(tables));
}

}  // namespace gopline::analyzer
