#pragma once
#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/types.h"

namespace gopline::splitter {

// A regular file that is read piece by piece. Not thread-safe.
class SourceFile {
 public:
  // kNotFound, kPermissionDenied, kIo; kInvalidArgument for what is no regular file.
  static Result<SourceFile> open(const std::string& path);
  ~SourceFile();
  SourceFile(SourceFile&& other) noexcept;
  SourceFile& operator=(SourceFile&&) = delete;

  std::uint64_t size() const { return size_; }
  Timestamp modified() const { return modified_; }

  // What epoch.started says of it: name, size, time of modification.
  media::SourceInfo describe() const;

  // kCorrupt when the file has become shorter since.
  Result<Buffer> read(std::uint64_t offset, std::size_t size) const;

 private:
  SourceFile(std::string path, int descriptor, std::uint64_t size, Timestamp modified)
      : path_(std::move(path)), descriptor_(descriptor), size_(size), modified_(modified) {}

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  Timestamp modified_;
};

// Whether two descriptions are of the same file, as far as can be told without reading it.
bool is_same_file(const media::SourceInfo& a, const media::SourceInfo& b);

}  // namespace gopline::splitter
