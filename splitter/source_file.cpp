#include "splitter/source_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include "common/base/text.h"

namespace gopline::splitter {
namespace {

constexpr const char* kFormat = "file";
constexpr const char* kModified = "modified";

}  // namespace

Result<SourceFile> SourceFile::open(const std::string& path) {
  int descriptor =
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe would wait for its writer
  if (descriptor < 0) return fail_errno(errno, path);
  SourceFile file(path, descriptor, 0, {});
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return fail_errno(errno, path);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, "{}: is not a regular file, so nobody knows its size", path);
  }
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  file.modified_ =
      Timestamp(std::chrono::seconds(status.st_mtim.tv_sec) + Duration(status.st_mtim.tv_nsec / 1000));
  return file;
}

SourceFile::~SourceFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
SourceFile::SourceFile(SourceFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      modified_(other.modified_) {}

media::SourceInfo SourceFile::describe() const {
  media::SourceInfo info;
  info.name = std::filesystem::path(path_).filename().string();
  info.format = kFormat;
  info.size_bytes = size_;
  info.metadata[kModified] = format_rfc3339(modified_);
  return info;
}

Result<Buffer> SourceFile::read(std::uint64_t offset, std::size_t size) const {
  std::shared_ptr<std::uint8_t[]> memory(new std::uint8_t[size]);  // not zeroed: it is written at once
  for (std::size_t done = 0; done < size;) {
    auto got = ::pread(descriptor_, memory.get() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, path_);
    if (got == 0) {
      return fail(ErrorCode::kCorrupt, "{}: has become shorter than the {} bytes that it had", path_, size_);
    }
    done += static_cast<std::size_t>(got);
  }
  std::span<const std::uint8_t> view(memory.get(), size);
  return Buffer(std::move(memory), view);
}

bool is_same_file(const media::SourceInfo& a, const media::SourceInfo& b) {
  auto modified = [](const media::SourceInfo& info) {
    auto found = info.metadata.find(kModified);
    return found == info.metadata.end() ? std::string() : found->second;
  };
  return a.format == kFormat && a.format == b.format && a.name == b.name && a.size_bytes == b.size_bytes &&
         modified(a) == modified(b);
}

}  // namespace gopline::splitter
