#include "analyzer/enrichment/table_enricher.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analyzer/enrichment/table_text.h"
#include "common/base/test_directory.h"
#include "common/base/test_time.h"
#include "common/log/memory_log.h"

namespace gopline::analyzer {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const SteadyTime kStart{1h};

record::Detection event_in(const std::string& stream, const std::string& zone) {
  record::Detection event;
  event.stream = stream;
  event.zone = zone;
  event.class_name = "motion";
  return event;
}

class FixedTable final : public TableSource {
 public:
  explicit FixedTable(std::map<std::string, TableRow> rows) : rows_(std::move(rows)) {}
  const TableRow* find(const std::string& key) const override {
    auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : &found->second;
  }
  std::size_t rows() const override { return rows_.size(); }
  Result<void> refresh() override { return {}; }

 private:
  std::map<std::string, TableRow> rows_;
};

std::unique_ptr<Enricher> enricher_of(const std::string& by, std::unique_ptr<TableSource> source) {
  std::vector<TableToJoin> tables;
  tables.push_back({"table", *parse_table_key(by), std::move(source)});
  return make_table_enricher(std::move(tables));
}

TEST(TableEnricher, AddsTheRowThatATableHas) {
  std::map<std::string, TableRow> rows{{"gate|in", {R"({"name":"entrance"})", "v1"}}};
  auto enricher = enricher_of("stream|zone", std::make_unique<FixedTable>(rows));
  auto event = event_in("gate", "in");
  enricher->enrich(event);
  enricher->enrich(event);  // an attempt that was repeated
  ASSERT_EQ(event.enrichments.size(), 1u);
  EXPECT_EQ(event.enrichments[0],
            (record::Enrichment{"table", "v1", "stream|zone", "gate|in", R"({"name":"entrance"})"}));
  auto unknown = event_in("gate", "out"), without = event_in("gate", "");
  enricher->enrich(unknown);
  enricher->enrich(without);
  EXPECT_TRUE(unknown.enrichments.empty());
  auto counts = enricher->counts();
  EXPECT_EQ(counts[0].joined, 2);
  EXPECT_EQ(counts[0].unknown, 1) << "an event without a zone is not unknown";
}

TEST(TableEnricher, TakesAFileInAgainWhenItChangesAndKeepsWhatWasWhenItIsWrong) {
  TestDirectory folder;
  auto path = folder / "sites.yaml";
  auto write = [&](const std::string& text) {
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
  };
  write("gate: {site: Basel}\n");
  auto source = open_table_file(path, {"stream"});
  ASSERT_TRUE(source) << source.error().message;
  auto enricher = enricher_of("stream", std::move(*source));
  auto site_at = [&](SteadyTime now) {
    auto event = event_in("gate", "");
    enricher->refresh(now);
    enricher->enrich(event);
    return event.enrichments.empty() ? record::Enrichment{} : event.enrichments[0];
  };
  auto first = site_at(kStart);
  EXPECT_EQ(first.data, R"({"site":"Basel"})");
  write("gate: {site: Geneva}\n");
  EXPECT_EQ(site_at(kStart + 500ms), first) << "it is looked at every second";
  auto second = site_at(kStart + 1s);
  EXPECT_EQ(second.data, R"({"site":"Geneva"})");
  EXPECT_NE(second.version, first.version);
  write("gate: {site\n");
  EXPECT_EQ(site_at(kStart + 2s), second);
  std::filesystem::remove(path);
  EXPECT_EQ(site_at(kStart + 3s), second);
  write("gate: {site: Basel}\n");
  EXPECT_EQ(site_at(kStart + 4s), first) << "the same bytes are the same version";
}

TEST(TableSource, AFileThatIsNotThereOrNoTableIsAnError) {
  TestDirectory folder;
  auto missing = open_table_file(folder / "sites.csv", {"stream"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("sites.csv"));
}

class TopicTable : public ::testing::Test {
 protected:
  TopicTable() : log_(std::make_unique<MemoryLog>()) {
    TopicSpec spec{"assets", 2, {}};
    spec.retention.compacted = true;
    EXPECT_TRUE(log_->ensure_topic(spec));
    writer_ = *log_->make_writer({});
  }
  void put(int partition, const std::string& key, std::optional<std::string> value) {
    NewRecord record;
    record.key = key;
    if (value) record.value = BufferChain(Buffer::copy(*value));
    record.timestamp = kNoon;
    EXPECT_TRUE(writer_->append_and_wait({"assets", PartitionId(partition)}, std::move(record)));
  }
  std::unique_ptr<Log> log_;
  std::unique_ptr<LogWriter> writer_;
};

TEST_F(TopicTable, HasTheNewestRowOfEachKey) {
  put(0, "gate", R"({"asset":"A-1"})");
  put(0, "gate", R"({"asset":"A-2"})");
  put(1, "yard", R"({"asset":"B-1"})");
  auto table = open_table_topic(*log_, "assets");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ((*table)->rows(), 2u);
  EXPECT_EQ((*table)->find("gate")->data, R"({"asset":"A-2"})");
  EXPECT_EQ((*table)->find("gate")->version, "0-1");
  EXPECT_EQ((*table)->find("yard")->version, "1-0");
  put(0, "gate", R"({"asset":"A-3"})");
  put(1, "yard", std::nullopt);
  put(1, "hall", "no object");
  ASSERT_TRUE((*table)->refresh());
  EXPECT_EQ((*table)->find("gate")->data, R"({"asset":"A-3"})");
  EXPECT_EQ((*table)->find("yard"), nullptr);
  EXPECT_EQ((*table)->find("hall"), nullptr);
}

TEST_F(TopicTable, MustBeThere) {
  auto table = open_table_topic(*log_, "nothing");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(table.error().message, HasSubstr("no topic 'nothing'"));
}

}  // namespace
}  // namespace gopline::analyzer
