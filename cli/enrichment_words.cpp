#include "cli/enrichment_words.h"

#include <filesystem>

#include "analyzer/enrichment/table_enricher.h"
#include "analyzer/enrichment/table_source.h"
#include "analyzer/enrichment/table_text.h"

namespace gopline::cli {
namespace {

constexpr std::string_view kTopicPrefix = "topic:";

}  // namespace

std::string default_table_name(const TableWords& table) {
  return table.file.empty() ? table.topic : std::filesystem::path(table.file).stem().string();
}

Result<TableWords> parse_table_words(std::string_view text) {
  TableWords table;
  auto equals = text.find('=');
  GOPLINE_ASSIGN(table.by, analyzer::parse_table_key(
                               equals == std::string_view::npos ? "stream" : text.substr(0, equals)));
  if (equals != std::string_view::npos) text.remove_prefix(equals + 1);
  if (text.starts_with(kTopicPrefix)) {
    table.topic = text.substr(kTopicPrefix.size());
  } else {
    table.file = text;
  }
  if (table.file.empty() && table.topic.empty())
    return fail(ErrorCode::kInvalidArgument, "which table? [BY=]FILE or [BY=]topic:TOPIC");
  table.name = default_table_name(table);
  return table;
}

Result<void> check_table_file(const TableWords& table) {
  if (!table.file.empty()) GOPLINE_TRY(analyzer::open_table_file(table.file, table.by));
  return {};
}

Result<std::unique_ptr<analyzer::Enricher>> make_enricher(Log& log, const std::vector<TableWords>& tables) {
  if (tables.empty()) return nullptr;
  std::vector<analyzer::TableToJoin> joined;
  for (const auto& table : tables) {
    auto source = table.file.empty() ? analyzer::open_table_topic(log, table.topic)
                                     : analyzer::open_table_file(table.file, table.by);
    if (!source) return tl::unexpected<Error>(std::move(source.error()));
    joined.push_back({table.name, table.by, std::move(*source)});
  }
  return analyzer::make_table_enricher(std::move(joined));
}

}  // namespace gopline::cli
