#include "common/media/mapped_input.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "common/base/bus_errors.h"

namespace gopline::media {
namespace {

constexpr int kBufferSize = 32 << 10;
constexpr std::int64_t kWindow = 1 << 20;

// ISO/IEC 14496-12, 4.3: the file type box comes first.
bool begins_as_mp4(int fd) {
  std::array<char, 8> head{};
  return pread(fd, head.data(), head.size(), 0) == static_cast<ssize_t>(head.size()) &&
         std::string_view(head.data() + 4, 4) == "ftyp";
}

}  // namespace

// A mapped range of the file, shared by the packets in it.
class MappedInput::Window {
 public:
  // nullptr: the file system does not map, or there is no room.
  static std::shared_ptr<const Window> map(int fd, std::int64_t begin, std::int64_t end,
                                           std::shared_ptr<std::atomic<bool>> damaged) {
    static const std::int64_t page = sysconf(_SC_PAGESIZE);
    auto aligned = begin / page * page;
    auto size = static_cast<std::size_t>(end - aligned);
    auto* memory = mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, aligned);
    if (memory == MAP_FAILED) return nullptr;
    std::span bytes(static_cast<const std::uint8_t*>(memory), size);
    auto watched = WatchedRange::watch(bytes, *damaged);
    if (!watched) {
      munmap(memory, size);
      return nullptr;
    }
    return std::shared_ptr<const Window>(new Window(bytes, aligned, std::move(damaged), std::move(*watched)));
  }
  ~Window() { munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size()); }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  bool has(std::int64_t begin, std::int64_t end) const {
    return begin >= begin_ && end <= begin_ + static_cast<std::int64_t>(bytes_.size());
  }
  std::span<const std::uint8_t> at(std::int64_t position, std::size_t size) const {
    return bytes_.subspan(static_cast<std::size_t>(position - begin_), size);
  }

 private:
  Window(std::span<const std::uint8_t> bytes, std::int64_t begin, std::shared_ptr<std::atomic<bool>> damaged,
         WatchedRange watched)
      : bytes_(bytes), begin_(begin), damaged_(std::move(damaged)), watched_(std::move(watched)) {}
  std::span<const std::uint8_t> bytes_;
  std::int64_t begin_;
  std::shared_ptr<std::atomic<bool>> damaged_;
  WatchedRange watched_;
};

std::unique_ptr<MappedInput> MappedInput::open(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || !begins_as_mp4(fd)) {
    close(fd);
    return nullptr;
  }
  std::unique_ptr<MappedInput> input(new MappedInput(fd, status.st_size));
  auto* buffer = static_cast<std::uint8_t*>(av_malloc(kBufferSize));
  if (!buffer) return nullptr;
  input->io_.reset(avio_alloc_context(buffer, kBufferSize, 0, input.get(), &MappedInput::read, nullptr,
                                      &MappedInput::seek));
  if (!input->io_) {
    av_free(buffer);
    return nullptr;
  }
  return input;
}

MappedInput::MappedInput(int fd, std::int64_t size) : fd_(fd), size_(size) {}

MappedInput::~MappedInput() {
  close(fd_);
}

void MappedInput::leave_packets_unread(bool on) {
  leaves_unread_ = on;
  // Small packets, too, are asked for by themselves, and not by what lies around them.
  io_->direct = on ? 1 : 0;
}

int MappedInput::read(void* opaque, std::uint8_t* buffer, int size) {
  auto& self = *static_cast<MappedInput*>(opaque);
  bool is_buffer = buffer >= self.io_->buffer && buffer < self.io_->buffer + self.io_->buffer_size;
  if (self.leaves_unread_ && !is_buffer) {
    auto count = std::min<std::int64_t>(size, self.size_ - self.position_);
    if (count <= 0) return AVERROR_EOF;
    if (self.unread_end_ == self.unread_begin_) {
      self.unread_begin_ = self.position_;
    } else if (self.unread_end_ != self.position_) {
      self.unread_in_pieces_ = true;
    }
    self.position_ += count;
    self.unread_end_ = self.position_;
    return static_cast<int>(count);
  }
  for (;;) {
    auto count = pread(self.fd_, buffer, static_cast<std::size_t>(size), self.position_);
    if (count == 0) return AVERROR_EOF;
    if (count > 0) {
      self.position_ += count;
      return static_cast<int>(count);
    }
    if (errno != EINTR) return AVERROR(errno);
  }
}

std::int64_t MappedInput::seek(void* opaque, std::int64_t offset, int whence) {
  auto& self = *static_cast<MappedInput*>(opaque);
  if (whence & AVSEEK_SIZE) return self.size_now();
  switch (whence & ~AVSEEK_FORCE) {
    case SEEK_SET:
      break;
    case SEEK_CUR:
      offset += self.position_;
      break;
    case SEEK_END:
      offset += self.size_now();
      break;
    default:
      return AVERROR(EINVAL);
  }
  if (offset < 0) return AVERROR(EINVAL);
  return self.position_ = offset;
}

std::int64_t MappedInput::size_now() const {
  struct stat status {};
  return fstat(fd_, &status) == 0 ? status.st_size : size_;
}

Result<void> MappedInput::is_unread_in(std::int64_t begin, std::int64_t end) {
  auto from = std::exchange(unread_begin_, 0), to = std::exchange(unread_end_, 0);
  bool in_pieces = std::exchange(unread_in_pieces_, false);
  if (from == to || (from >= begin && to <= end && !in_pieces)) return {};
  return fail(ErrorCode::kInternal, "bytes {} to {} were left unread, which are not the packet's", from, to);
}

Result<Buffer> MappedInput::packet(int stream, std::int64_t position, std::size_t size) {
  auto end = position + static_cast<std::int64_t>(size);
  GOPLINE_TRY(is_unread_in(position, end));
  if (size == 0) return Buffer();
  auto& window = windows_[stream];
  if (!window || !window->has(position, end)) {
    auto there = size_now();
    if (position < 0 || end > there) return fail(ErrorCode::kCorrupt, "was cut off while it was read");
    window = Window::map(fd_, position, std::min(std::max(end, position + kWindow), there), damaged_);
  }
  if (!window) return copied(position, size);
  return Buffer(window, window->at(position, size));
}

Result<Buffer> MappedInput::copied(std::int64_t position, std::size_t size) const {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t done = 0; done < size;) {
    auto count = pread(fd_, bytes.data() + done, size - done, position + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "reading a packet");
    if (count == 0) return fail(ErrorCode::kCorrupt, "was cut off while it was read");
    done += static_cast<std::size_t>(count);
  }
  return Buffer::take(std::move(bytes));
}

}  // namespace gopline::media
