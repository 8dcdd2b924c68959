#include "common/log/embedded/tail.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>

#include "common/base/logging.h"

namespace gopline::embedded {

Tail::Tail(const std::string& path, std::unique_ptr<File> file) : file_(std::move(file)) {
  watch_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (watch_ >= 0 && ::inotify_add_watch(watch_, path.c_str(), IN_MODIFY) < 0) {
    ::close(watch_);
    watch_ = -1;
  }
  if (watch_ < 0) {
    log_warning(
        path,
        "cannot be watched (inotify's limits?): what other processes write is seen up to a second late");
    return;
  }
  ending_ = ::eventfd(0, EFD_CLOEXEC);
  listener_ = std::thread([this] { listen(); });
}

Tail::~Tail() {
  if (watch_ < 0) return;
  std::uint64_t one = 1;
  (void)!::write(ending_, &one, sizeof one);
  listener_.join();
  ::close(watch_);
  ::close(ending_);
}

void Tail::touch() {
  {
    std::lock_guard lock(mutex_);
    ++version_;
    ++written_;
    if (file_) {
      std::array<std::uint8_t, 8> count{};
      for (std::size_t at = 0; at < count.size(); ++at)
        count[at] = static_cast<std::uint8_t>(written_ >> (8 * at));
      (void)file_->write_at(BufferChain(Buffer(nullptr, count)), 0);
    }
  }
  moved_.notify_all();
}

void Tail::stir() {
  {
    std::lock_guard lock(mutex_);
    ++version_;
  }
  moved_.notify_all();
}

std::uint64_t Tail::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

bool Tail::wait(std::uint64_t seen, std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  return moved_.wait_until(lock, until, [&] { return version_ != seen; });
}

void Tail::listen() {
  std::array<pollfd, 2> waiting{pollfd{watch_, POLLIN, 0}, pollfd{ending_, POLLIN, 0}};
  std::array<char, 4096> events;
  while (true) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[1].revents != 0) return;
    // What happened does not matter, only that something did; the kernel joins equal events.
    while (::read(watch_, events.data(), events.size()) > 0) {
    }
    stir();
  }
}

}  // namespace gopline::embedded
