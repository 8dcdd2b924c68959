#include "common/payload/directory/posix_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace gopline::payload {
namespace {

constexpr std::size_t kStep = 8 << 20;  // between two looks at the stop

}  // namespace

Result<PosixFile> PosixFile::open(const std::filesystem::path& path, int flags) {
  int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (descriptor < 0) return fail_errno(errno, "cannot open");
  return PosixFile(descriptor);
}

PosixFile::~PosixFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
PosixFile::PosixFile(PosixFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Result<Buffer> PosixFile::read(std::uint64_t offset, std::uint64_t size) const {
  auto end = ::lseek(descriptor_, 0, SEEK_END);
  if (end < 0) return fail_errno(errno, "cannot read");
  auto length = static_cast<std::uint64_t>(end);
  // Before any memory is taken: sizes come from records.
  if (offset > length || size > length - offset) {
    return fail(ErrorCode::kCorrupt, "it has {} bytes, and {} from byte {} on were asked for", length, size,
                offset);
  }
  std::shared_ptr<std::uint8_t[]> memory(new std::uint8_t[size]);  // not zeroed: it is written at once
  for (std::uint64_t done = 0; done < size;) {
    auto got = ::pread(descriptor_, memory.get() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "cannot read");
    if (got == 0) return fail(ErrorCode::kCorrupt, "it ended after {} bytes", offset + done);
    done += static_cast<std::uint64_t>(got);
  }
  std::span<const std::uint8_t> view(memory.get(), size);
  return Buffer(std::move(memory), view);
}

Result<void> PosixFile::write(const BufferChain& bytes, const StopToken& stop) {
  for (const auto& buffer : bytes.buffers()) {
    for (std::size_t done = 0; done < buffer.size();) {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
      auto count = std::min(kStep, buffer.size() - done);
      auto written = ::write(descriptor_, buffer.data() + done, count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return fail_errno(errno, "cannot write");
      done += static_cast<std::size_t>(written);
    }
  }
  return {};
}

Result<void> PosixFile::sync() {
  if (::fdatasync(descriptor_) != 0) return fail_errno(errno, "cannot sync");
  return {};
}

Result<void> write_file(const std::filesystem::path& path, const BufferChain& bytes, const StopToken& stop) {
  GOPLINE_ASSIGN(auto file, PosixFile::open(path, O_WRONLY | O_CREAT | O_EXCL));
  GOPLINE_TRY(file.write(bytes, stop));
  return file.sync();
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  auto file = PosixFile::open(folder, O_RDONLY | O_DIRECTORY);
  if (!file) return fail_with_context(folder.string(), std::move(file.error()));
  auto synced = file->sync();
  if (!synced) return fail_with_context(folder.string(), std::move(synced.error()));
  return {};
}

}  // namespace gopline::payload
