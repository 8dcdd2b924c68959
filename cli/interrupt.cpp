#include "cli/interrupt.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/exit_codes.h"

namespace gopline::cli {
namespace {

// Those of the three that the program was not told to ignore.
sigset_t signals_to_watch() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&set, number);
  }
  return set;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

struct InterruptWatcher::State {
  State(int signals_fd, int finish_fd, std::function<void()> first)
      : signals(signals_fd), finish(finish_fd), on_first(std::move(first)) {}

  void watch() {
    for (;;) {
      pollfd fds[2] = {{signals.get(), POLLIN, 0}, {finish.get(), POLLIN, 0}};
      if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
      if (fds[1].revents != 0) return;
      if (fds[0].revents == 0) continue;
      signalfd_siginfo info{};
      if (read(signals.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
      if (info.ssi_signo == SIGHUP && handled_as_hangup()) continue;
      if (source.stop_requested()) _exit(kInterrupted);
      if (on_first) on_first();
      source.request_stop();
    }
  }

  bool handled_as_hangup() {
    std::lock_guard lock(mutex);
    if (on_hangup) on_hangup();
    return on_hangup != nullptr;
  }

  Descriptor signals;
  Descriptor finish;
  std::function<void()> on_first;
  std::mutex mutex;
  std::function<void()> on_hangup;
  StopSource source;
  std::thread thread;
};

InterruptWatcher::InterruptWatcher(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->thread = std::thread([state = state_.get()] { state->watch(); });
}

Result<std::unique_ptr<InterruptWatcher>> InterruptWatcher::start(std::function<void()> on_first) {
  sigset_t set = signals_to_watch();
  if (int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0)
    return fail_errno(error, "pthread_sigmask");
  int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) return fail_errno(errno, "signalfd");
  int finish = eventfd(0, EFD_CLOEXEC);
  if (finish < 0) {
    close(signals);
    return fail_errno(errno, "eventfd");
  }
  return std::unique_ptr<InterruptWatcher>(
      new InterruptWatcher(std::make_unique<State>(signals, finish, std::move(on_first))));
}

InterruptWatcher::~InterruptWatcher() {
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = write(state_->finish.get(), &one, sizeof one);
  state_->thread.join();
}

void InterruptWatcher::on_hangup(std::function<void()> handler) {
  std::lock_guard lock(state_->mutex);
  state_->on_hangup = std::move(handler);
}

StopToken InterruptWatcher::token() const {
  return state_->source.get_token();
}

}  // namespace gopline::cli
