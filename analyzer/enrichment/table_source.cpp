#include "analyzer/enrichment/table_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <tuple>

#include <nlohmann/json.hpp>

#include "analyzer/enrichment/table_text.h"
#include "common/base/logging.h"
#include "common/bytes/digest.h"

namespace gopline::analyzer {
namespace {

constexpr std::size_t kMostTableBytes = 64 << 20;
constexpr Duration kTopicPatience = std::chrono::seconds(1);  // for a piece of it, at the beginning

class TableFile final : public TableSource {
 public:
  TableFile(std::string path, std::vector<std::string> by) : path_(std::move(path)), by_(std::move(by)) {}

  const TableRow* find(const std::string& key) const override {
    auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : &found->second;
  }
  std::size_t rows() const override { return rows_.size(); }

  Result<void> refresh() override {
    struct stat now {};
    if (::stat(path_.c_str(), &now) != 0) {
      if (!std::exchange(is_there_, false)) return {};
      return fail_errno(errno, path_);
    }
    Looks looks{now.st_ino, now.st_size, now.st_mtim.tv_sec, now.st_mtim.tv_nsec};
    if (is_there_ && looks == looks_) return {};
    is_there_ = true;
    looks_ = looks;
    if (!S_ISREG(now.st_mode)) return fail(ErrorCode::kInvalidArgument, "{} is no file", path_);
    return read(static_cast<std::size_t>(now.st_size));
  }

 private:
  using Looks = std::tuple<ino_t, off_t, time_t, long>;  // of a file that has not changed

  Result<void> read(std::size_t size) {
    if (size > kMostTableBytes)
      return fail(ErrorCode::kInvalidArgument, "{}: a table has at most 64 MiB", path_);
    std::ifstream file(path_, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file) return fail(ErrorCode::kUnavailable, "{} cannot be read", path_);
    GOPLINE_ASSIGN(auto parsed, parse_table(text, path_, by_));
    auto version = xxh3_hex(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    rows_.clear();
    for (auto& [key, data] : parsed) rows_[key] = {std::move(data), version};
    return {};
  }

  const std::string path_;
  const std::vector<std::string> by_;
  bool is_there_ = true;
  Looks looks_{};
  std::map<std::string, TableRow> rows_;
};

class TableTopic final : public TableSource {
 public:
  explicit TableTopic(std::unique_ptr<LogReader> reader) : reader_(std::move(reader)) {}

  const TableRow* find(const std::string& key) const override {
    auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : &found->second;
  }
  std::size_t rows() const override { return rows_.size(); }

  Result<void> refresh() override {
    for (;;) {
      GOPLINE_ASSIGN(auto records, reader_->poll(Duration::zero()));
      if (records.empty()) return {};
      for (const auto& record : records) take(record);
    }
  }

  Result<void> read_to(const std::vector<std::pair<TopicPartition, Offset>>& ends) {
    for (const auto& [where, end] : ends) {
      for (;;) {
        GOPLINE_ASSIGN(auto position, reader_->position(where));
        if (position >= end) break;
        GOPLINE_ASSIGN(auto records, reader_->poll(kTopicPatience));
        for (const auto& record : records) take(record);
      }
    }
    return {};
  }

 private:
  // A row that is none is somebody else's fault, and no reason not to join the others.
  void take(const StoredRecord& record) {
    auto found = rows_.find(record.key);
    if (found != rows_.end() && !record.value) {
      bytes_ -= size_of(*found);
      rows_.erase(found);
    }
    if (!record.value) return;
    auto row = nlohmann::ordered_json::parse(record.damage ? "" : record.value->text(), nullptr, false);
    if (!row.is_object()) {
      log_warning(record.where.topic, "the record at {}-{}, of '{}', is no JSON object; passed over",
                  record.where.partition, record.offset, record.key);
      return;
    }
    std::pair<const std::string, TableRow> newest{
        record.key,
        {row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
         fmt::format("{}-{}", record.where.partition, record.offset)}};
    auto freed = found == rows_.end() ? 0 : size_of(*found);
    if (bytes_ - freed + size_of(newest) > kMostTableBytes) {
      log_warning(record.where.topic, "a table has at most 64 MiB; '{}' is passed over", record.key);
      return;
    }
    bytes_ += size_of(newest) - freed;
    rows_[newest.first] = std::move(newest.second);
  }

  static std::size_t size_of(const std::pair<const std::string, TableRow>& row) {
    return row.first.size() + row.second.data.size();
  }

  std::unique_ptr<LogReader> reader_;
  std::map<std::string, TableRow> rows_;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<TableSource>> open_table_file(const std::string& path, std::vector<std::string> by) {
  auto table = std::make_unique<TableFile>(path, std::move(by));
  GOPLINE_TRY(table->refresh());
  return table;
}

Result<std::unique_ptr<TableSource>> open_table_topic(Log& log, const std::string& topic) {
  auto info = log.describe_topic(topic);
  if (!info && info.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kNotFound, "{} has no topic '{}', of which each record is a row: key, JSON object",
                log.describe(), topic);
  if (!info) return tl::unexpected<Error>(std::move(info.error()));
  std::vector<std::pair<TopicPartition, StartPosition>> partitions;
  std::vector<std::pair<TopicPartition, Offset>> ends;
  for (std::int32_t i = 0; i < info->partitions; ++i) {
    TopicPartition where{topic, PartitionId(i)};
    GOPLINE_ASSIGN(auto kept, log.offsets(where));
    partitions.emplace_back(where, StartPosition::beginning());
    ends.emplace_back(where, kept.end);
  }
  GOPLINE_ASSIGN(auto reader, log.make_reader({}));
  GOPLINE_TRY(reader->assign(partitions));
  auto table = std::make_unique<TableTopic>(std::move(reader));
  GOPLINE_TRY(table->read_to(ends));
  return table;
}

}  // namespace gopline::analyzer
