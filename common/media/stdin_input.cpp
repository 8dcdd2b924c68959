#include "common/media/stdin_input.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace gopline::media {
namespace {
constexpr int kBufferSize = 256 << 10;
}

Result<std::unique_ptr<StdinInput>> StdinInput::open(StopToken stop) {
  std::unique_ptr<StdinInput> input(new StdinInput(std::move(stop)));
  input->wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (input->wake_fd_ < 0) return fail_errno(errno, "standard input");
  auto* buffer = static_cast<std::uint8_t*>(av_malloc(kBufferSize));
  if (buffer)
    input->io_.reset(
        avio_alloc_context(buffer, kBufferSize, 0, input.get(), &StdinInput::read, nullptr, nullptr));
  if (!input->io_) {
    av_free(buffer);
    return fail(ErrorCode::kInternal, "out of memory");
  }
  input->on_stop_.emplace(input->stop_, Wake{input.get()});
  return input;
}

StdinInput::~StdinInput() {
  on_stop_.reset();
  if (wake_fd_ >= 0) close(wake_fd_);
}

void StdinInput::wake() const {
  std::uint64_t one = 1;
  // Fails only when the counter is full, that is, when the reader is awake already.
  [[maybe_unused]] auto written = ::write(wake_fd_, &one, sizeof one);
}

int StdinInput::read(void* opaque, std::uint8_t* buffer, int size) {
  auto* input = static_cast<StdinInput*>(opaque);
  for (;;) {
    std::array<pollfd, 2> fds{{{STDIN_FILENO, POLLIN, 0}, {input->wake_fd_, POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return AVERROR(errno);
    if (input->stop_.stop_requested()) return AVERROR_EXIT;
    if (fds[0].revents == 0) continue;
    auto count = ::read(STDIN_FILENO, buffer, static_cast<std::size_t>(size));
    if (count > 0) return static_cast<int>(count);
    if (count == 0) return AVERROR_EOF;
    if (errno != EINTR && errno != EAGAIN) return AVERROR(errno);
  }
}

}  // namespace gopline::media
