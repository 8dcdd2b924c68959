#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/bytes/buffer_pool.h"
#include "common/log/embedded/file_system.h"
#include "common/log/embedded/sqlite.h"

namespace gopline::embedded {

struct ValueRequest {
  std::int64_t file = 0;  // its row
  std::uint64_t position = 0;
  std::size_t size = 0;
};

struct ValueRead {
  Buffer bytes;
  std::size_t pinned = 0;
};

// Reads values out of payload files. With pread and never mmap: a file cut short under us must be an error of
// one record, not the end of the process. Small neighbours come with one call into one block. Thread-safe.
class PayloadReader {
 public:
  PayloadReader(std::shared_ptr<FileSystem> files, std::string directory)
      : files_(std::move(files)), directory_(std::move(directory)), pool_(kPooledBytes) {}

  // One result for each request, in their order. Looks the names of files up over the caller's connection.
  std::vector<Result<ValueRead>> read(const std::vector<ValueRequest>& requests, sqlite::Database& database);

 private:
  static constexpr std::size_t kPooledBytes = 48 << 20;
  static constexpr std::size_t kOpenFiles = 64;

  Result<std::shared_ptr<File>> open(std::int64_t row, sqlite::Database& database);
  void read_group(std::span<const ValueRequest> group, sqlite::Database& database,
                  std::vector<Result<ValueRead>>& results);

  std::shared_ptr<FileSystem> files_;
  const std::string directory_;
  BufferPool pool_;
  std::mutex mutex_;
  // Open files, the most recently used first.
  std::list<std::pair<std::int64_t, std::shared_ptr<File>>> open_;
};

}  // namespace gopline::embedded
