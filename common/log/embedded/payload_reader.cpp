#include "common/log/embedded/payload_reader.h"

#include "common/log/embedded/layout.h"

namespace gopline::embedded {
namespace {

constexpr std::size_t kSmall = 256 << 10;     // values up to this are read together
constexpr std::size_t kMostAtOnce = 1 << 20;  // into one block of at most this
constexpr std::uint64_t kLargestGap = 4096;   // the padding between them

// How many requests, from `first` on, one pread serves.
std::size_t group_length(const std::vector<ValueRequest>& requests, std::size_t first) {
  const auto& start = requests[first];
  auto length = std::size_t{1};
  while (first + length < requests.size()) {
    const auto& before = requests[first + length - 1];
    const auto& next = requests[first + length];
    bool neighbours = next.file == start.file && next.position >= before.position + before.size &&
                      next.position - (before.position + before.size) < kLargestGap;
    bool small = before.size <= kSmall && next.size <= kSmall &&
                 next.position + next.size - start.position <= kMostAtOnce;
    if (!neighbours || !small) break;
    ++length;
  }
  return length;
}

}  // namespace

Result<std::shared_ptr<File>> PayloadReader::open(std::int64_t row, sqlite::Database& database) {
  {
    std::lock_guard lock(mutex_);
    for (auto entry = open_.begin(); entry != open_.end(); ++entry) {
      if (entry->first != row) continue;
      open_.splice(open_.begin(), open_, entry);
      return entry->second;
    }
  }
  GOPLINE_ASSIGN(auto find, database.prepare("SELECT name FROM files WHERE id = ?"));
  GOPLINE_ASSIGN(bool have, find.bind(row).step());
  if (!have)
    return fail(ErrorCode::kNotFound, "{}: a payload file that the catalogue does not know", directory_);
  auto path = payload_path(directory_, find.bytes(0));
  GOPLINE_ASSIGN(std::shared_ptr<File> file, files_->open(path, FileSystem::Open::kRead));
  std::lock_guard lock(mutex_);
  open_.emplace_front(row, file);
  if (open_.size() > kOpenFiles) open_.pop_back();
  return file;
}

void PayloadReader::read_group(std::span<const ValueRequest> group, sqlite::Database& database,
                               std::vector<Result<ValueRead>>& results) {
  auto file = open(group.front().file, database);
  if (!file) {
    results.insert(results.end(), group.size(), tl::unexpected<Error>(file.error()));
    return;
  }
  auto start = group.front().position;
  auto total = static_cast<std::size_t>(group.back().position + group.back().size - start);
  auto block = pool_.take(total);
  auto have = (*file)->read_at(block.bytes(total), start);
  if (!have && group.size() > 1) {  // a bad sector spoils only the record it lies in
    for (std::size_t at = 0; at < group.size(); ++at) read_group(group.subspan(at, 1), database, results);
    return;
  }
  for (const auto& request : group) {
    auto offset = static_cast<std::size_t>(request.position - start);
    if (!have) {
      results.push_back(tl::unexpected<Error>(have.error()));
    } else if (offset + request.size > *have) {
      results.push_back(fail(ErrorCode::kCorrupt,
                             "{}: a payload file is too short: {} bytes at {} are not all there", directory_,
                             request.size, request.position));
    } else {
      results.push_back(ValueRead{block.share(offset, request.size), block.capacity});
    }
  }
}

std::vector<Result<ValueRead>> PayloadReader::read(const std::vector<ValueRequest>& requests,
                                                   sqlite::Database& database) {
  std::vector<Result<ValueRead>> results;
  results.reserve(requests.size());
  for (std::size_t at = 0; at < requests.size();) {
    auto length = group_length(requests, at);
    read_group(std::span(requests).subspan(at, length), database, results);
    at += length;
  }
  return results;
}

}  // namespace gopline::embedded
