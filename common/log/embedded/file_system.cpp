#include "common/log/embedded/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
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

// A page-aligned block that writes go through.
class StagingBlock {
 public:
  static constexpr std::size_t kSize = 256 << 10;  // half of a common second-level cache
  std::span<std::uint8_t> bytes() {
    if (!memory_) memory_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(4096, kSize)));
    return {memory_.get(), memory_ ? kSize : 0};
  }

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::uint8_t, Free> memory_;
};

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  // Through a small aligned block that stays in the processor's cache: the kernel copies from scattered, cold
  // pieces at half the speed (docs/decisions/embedded-log-writing.md).
  Result<void> write_at(const BufferChain& bytes, std::uint64_t position) override {
    auto block = staging_.bytes();
    if (block.empty()) return fail(ErrorCode::kInternal, "{}: cannot write: out of memory", path_);
    std::size_t staged = 0;
    for (const auto& buffer : bytes.buffers()) {
      for (auto rest = buffer.bytes(); !rest.empty();) {
        auto count = std::min(rest.size(), block.size() - staged);
        std::memcpy(block.data() + staged, rest.data(), count);
        staged += count;
        rest = rest.subspan(count);
        if (staged < block.size()) continue;
        GOPLINE_TRY(write_all(block, position));
        position += staged;
        staged = 0;
      }
    }
    return write_all({block.data(), staged}, position);
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

  Result<void> write_all(std::span<const std::uint8_t> bytes, std::uint64_t position) {
    while (!bytes.empty()) {
      auto written =
          uninterrupted([&] { return ::pwrite(descriptor_, bytes.data(), bytes.size(), off(position)); });
      if (written < 0) return fail_errno(errno, path_ + ": cannot write");
      position += static_cast<std::uint64_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
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

  StagingBlock staging_;
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
