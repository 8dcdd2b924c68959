#include "cli/file_watch.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace gopline::cli {

struct FileWatch::State {
  State(int watch, int end, std::string file_name, std::function<void()> call)
      : inotify(watch), finish(end), name(std::move(file_name)), on_change(std::move(call)) {}
  ~State() {
    close(inotify);
    close(finish);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void watch() {
    for (;;) {
      pollfd fds[2] = {{inotify, POLLIN, 0}, {finish, POLLIN, 0}};
      if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
      if (fds[1].revents != 0) return;
      if (fds[0].revents != 0 && is_ours()) on_change();
    }
  }

  // Whether one of the events that are there is about our file.
  bool is_ours() {
    alignas(inotify_event) std::array<char, 4096> events{};
    auto size = read(inotify, events.data(), events.size());
    bool ours = false;
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
      if (event->len > 0 && name == event->name) ours = true;
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
    return ours;
  }

  int inotify, finish;
  std::string name;
  std::function<void()> on_change;
  std::thread thread;
};

FileWatch::FileWatch(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->thread = std::thread([state = state_.get()] { state->watch(); });
}

Result<std::unique_ptr<FileWatch>> FileWatch::start(const std::string& path,
                                                    std::function<void()> on_change) {
  auto file = std::filesystem::path(path);
  auto folder = file.has_parent_path() ? file.parent_path().string() : std::string(".");
  int finish = eventfd(0, EFD_CLOEXEC);
  int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (finish < 0 || inotify < 0 ||
      inotify_add_watch(inotify, folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
    int error = errno;
    if (finish >= 0) close(finish);
    if (inotify >= 0) close(inotify);
    return fail_errno(error, "watching " + path);
  }
  return std::unique_ptr<FileWatch>(new FileWatch(
      std::make_unique<State>(inotify, finish, file.filename().string(), std::move(on_change))));
}

FileWatch::~FileWatch() {
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = write(state_->finish, &one, sizeof one);
  state_->thread.join();
}

}  // namespace gopline::cli
