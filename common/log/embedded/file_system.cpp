#include "common/log/embedded/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace gopline {
namespace {

// The call again for as long as a signal interrupts it.
template <typename Call>
auto uninterrupted(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// Takes `written` bytes off the front of what is still to be written.
std::span<iovec> advance(std::span<iovec> rest, std::size_t written) {
  while (!rest.empty() && written >= rest.front().iov_len) {
    written -= rest.front().iov_len;
    rest = rest.subspan(1);
  }
  if (written > 0) {
    rest.front().iov_base = static_cast<char*>(rest.front().iov_base) + written;
    rest.front().iov_len -= written;
  }
  return rest;
}

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<void> write_at(const BufferChain& bytes, std::uint64_t position) override {
    constexpr std::size_t kMostPieces = 1024;  // IOV_MAX
    std::vector<iovec> pieces;
    pieces.reserve(bytes.buffers().size());
    for (const auto& buffer : bytes.buffers()) {
      pieces.push_back({const_cast<std::uint8_t*>(buffer.data()), buffer.size()});
    }
    std::span<iovec> rest(pieces);
    while (!rest.empty()) {
      auto count = static_cast<int>(std::min(rest.size(), kMostPieces));
      auto written = uninterrupted([&] { return ::pwritev(descriptor_, rest.data(), count, off(position)); });
      if (written < 0) return fail_errno(errno, path_ + ": cannot write");
      position += static_cast<std::uint64_t>(written);
      rest = advance(rest, static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<std::size_t> read_at(std::span<std::uint8_t> bytes, std::uint64_t position) override {
    std::size_t have = 0;
    while (have < bytes.size()) {
      auto got = uninterrupted([&] {
        return ::pread(descriptor_, bytes.data() + have, bytes.size() - have, off(position + have));
      });
      if (got < 0) return fail_errno(errno, path_ + ": cannot read");
      if (got == 0) break;
      have += static_cast<std::size_t>(got);
    }
    return have;
  }

  Result<void> sync() override {
    if (::fdatasync(descriptor_) != 0) return fail_errno(errno, path_ + ": cannot sync");
    return {};
  }

  void start_writeback(std::uint64_t position, std::uint64_t count) override {
    ::sync_file_range(descriptor_, off(position), off(count), SYNC_FILE_RANGE_WRITE);
  }

  Result<std::uint64_t> size() override {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return fail_errno(errno, path_ + ": cannot tell its size");
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<void> truncate(std::uint64_t size) override {
    if (uninterrupted([&] { return ::ftruncate(descriptor_, off(size)); }) != 0) {
      return fail_errno(errno, path_ + ": cannot truncate");
    }
    return {};
  }

  void punch_hole(std::uint64_t position, std::uint64_t count) override {
    (void)::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off(position), off(count));
  }

  Result<bool> try_lock() override {
    if (uninterrupted([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return false;
      return fail_errno(errno, path_ + ": cannot lock");
    }
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return fail_errno(errno, path_ + ": cannot look at it");
    return status.st_nlink > 0;
  }

 private:
  static off_t off(std::uint64_t value) { return static_cast<off_t>(value); }

  const int descriptor_;
  const std::string path_;
};

int flags_of(FileSystem::Open mode) {
  switch (mode) {
    case FileSystem::Open::kRead:
      return O_RDONLY;
    case FileSystem::Open::kReadWrite:
      return O_RDWR;
    case FileSystem::Open::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
    case FileSystem::Open::kCreate:
      return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, Open mode) override {
    int descriptor = uninterrupted([&] { return ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0666); });
    if (descriptor < 0) return fail_errno(errno, path + ": cannot open");
    return std::make_unique<PosixFile>(descriptor, path);
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno(errno, path + ": cannot remove");
    return {};
  }

  Result<bool> exists(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fail_errno(errno, path + ": cannot look at it");
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    std::unique_ptr<DIR, int (*)(DIR*)> handle(::opendir(directory.c_str()), ::closedir);
    if (!handle) return fail_errno(errno, directory + ": cannot list");
    std::vector<std::string> names;
    while (auto* entry = ::readdir(handle.get())) {
      std::string name(entry->d_name);
      if (name != "." && name != "..") names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<void> create_directories(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return fail_errno(error.value(), path + ": cannot create the directory");
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return fail_errno(errno, path + ": cannot open");
    auto outcome = ::fsync(descriptor);
    auto reason = errno;
    ::close(descriptor);
    if (outcome != 0) return fail_errno(reason, path + ": cannot sync the directory");
    return {};
  }
};

}  // namespace

std::shared_ptr<FileSystem> make_posix_file_system() {
  return std::make_shared<PosixFileSystem>();
}

}  // namespace gopline
