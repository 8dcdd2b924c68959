#include <algorithm>
#include <fstream>
#include <iterator>

#include "common/base/text.h"
#include "tests/format/golden_case.h"

namespace gopline::golden {
namespace {

std::filesystem::path path_of(const std::filesystem::path& folder, const StoredFile& record,
                              std::string_view extension) {
  return folder / record.topic / fmt::format("{:03}.{}", record.offset, extension);
}

Result<StoredFile> load_one(const std::filesystem::path& headers) {
  StoredFile record;
  record.topic = headers.parent_path().filename();
  std::ifstream in(headers);
  for (std::string line; std::getline(in, line);) {
    auto colon = line.find(": ");
    if (colon == std::string::npos) return fail(ErrorCode::kCorrupt, "{}: '{}'", headers.string(), line);
    auto name = line.substr(0, colon), value = line.substr(colon + 2);
    if (name == "@offset")
      record.offset = Offset(parse_int64(value).value_or(-1));
    else if (name == "@partition")
      record.partition = PartitionId(static_cast<std::int32_t>(parse_int64(value).value_or(-1)));
    else if (name == "@key")
      record.key = value;
    else if (name == "@timestamp")
      record.timestamp = parse_rfc3339(value).value_or(Timestamp());
    else
      record.headers.push_back({name, value});
  }
  std::ifstream value(std::filesystem::path(headers).replace_extension("value"), std::ios::binary);
  record.value = Buffer::take({std::istreambuf_iterator<char>(value), {}});
  return record;
}

}  // namespace

Result<void> save(const std::filesystem::path& folder, const std::vector<StoredFile>& records) {
  for (const auto& record : records) {
    std::filesystem::create_directories(folder / record.topic);
    std::ofstream headers(path_of(folder, record, "headers"));
    headers << "@partition: " << record.partition.value << "\n@offset: " << record.offset.value
            << "\n@key: " << record.key << "\n@timestamp: " << format_rfc3339(record.timestamp) << "\n";
    for (const auto& header : record.headers) headers << header.name << ": " << header.value << "\n";
    std::ofstream value(path_of(folder, record, "value"), std::ios::binary);
    value << record.value.text();
    if (!headers || !value) return fail(ErrorCode::kIo, "{}: cannot be written", folder.string());
  }
  return {};
}

Result<std::vector<StoredFile>> load(const std::filesystem::path& folder) {
  std::vector<StoredFile> records;
  for (const char* topic : {"segments", "index", "streams", "blobs"}) {
    std::vector<std::filesystem::path> files;
    if (topic == std::string_view("blobs") && !std::filesystem::exists(folder / topic)) continue;
    if (!std::filesystem::exists(folder / topic))
      return fail(ErrorCode::kNotFound, "{} is missing", (folder / topic).string());
    for (const auto& entry : std::filesystem::directory_iterator(folder / topic)) {
      if (entry.path().extension() == ".headers") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    for (const auto& file : files) {
      GOPLINE_ASSIGN(auto record, load_one(file));
      records.push_back(std::move(record));
    }
  }
  return records;
}

}  // namespace gopline::golden
