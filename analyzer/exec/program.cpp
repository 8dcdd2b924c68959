#include "analyzer/exec/program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/logging.h"
#include "common/base/text.h"

extern char** environ;

namespace gopline::analyzer {
namespace {

constexpr std::size_t kMostComplaint = 400;  // bytes of a line
constexpr Duration kTimeToEnd = std::chrono::milliseconds(500);

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

Result<std::pair<Descriptor, Descriptor>> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno(errno, "a pipe");
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

// Its own group, its three files, and signals as a shell would give them.
class SpawnSettings {
 public:
  SpawnSettings(int in, int out, int errors) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_adddup2(&files_, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, errors, STDERR_FILENO);
    posix_spawnattr_init(&attributes_);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

struct Program::Pipes {
  Descriptor to, from, errors;
};

Program::Program(ProgramOptions options) : options_(std::move(options)), pipes_(std::make_unique<Pipes>()) {}

Result<std::unique_ptr<Program>> Program::start(ProgramOptions options) {
  std::unique_ptr<Program> program(new Program(std::move(options)));
  GOPLINE_TRY(program->spawn());
  return program;
}

Result<void> Program::spawn() {
  GOPLINE_ASSIGN(auto to, make_pipe());
  GOPLINE_ASSIGN(auto from, make_pipe());
  GOPLINE_ASSIGN(auto errors, make_pipe());
  SpawnSettings settings(to.first.get(), from.second.get(), errors.second.get());
  std::string shell = "/bin/sh", flag = "-c", command = options_.command;
  std::array<char*, 4> argv{shell.data(), flag.data(), command.data(), nullptr};
  if (int error =
          posix_spawn(&child_, shell.c_str(), settings.files(), settings.attributes(), argv.data(), environ);
      error != 0) {
    child_ = -1;
    return fail_errno(error, options_.command);
  }
  for (int fd : {to.second.get(), from.first.get(), errors.first.get()}) fcntl(fd, F_SETFL, O_NONBLOCK);
  *pipes_ = {std::move(to.second), std::move(from.first), std::move(errors.first)};
  return {};
}

Program::~Program() {
  pipes_->to.close();
  if (child_ < 0) return;
  bool ended = wait_for_end(kTimeToEnd);
  read_complaints();
  auto group = child_;
  if (!ended) {
    kill(-group, SIGKILL);
    int status = 0;
    while (waitpid(group, &status, 0) < 0 && errno == EINTR) {
    }
  }
}

// Whoever else is in its group goes with it.
bool Program::wait_for_end(Duration patience) {
  auto until = std::chrono::steady_clock::now() + patience;
  int status = 0;
  for (;;) {
    // What it still says must not keep it from ending.
    std::array<char, 4096> ignored;
    while (pipes_->from.get() >= 0 && read(pipes_->from.get(), ignored.data(), ignored.size()) > 0) {
    }
    if (waitpid(child_, &status, WNOHANG) != 0) break;
    if (std::chrono::steady_clock::now() >= until) return false;
    poll(nullptr, 0, 2);
  }
  kill(-child_, SIGKILL);
  return true;
}

tl::unexpected<Error> Program::has_ended() {
  read_complaints();
  int status = 0;
  auto child = std::exchange(child_, -1);
  // It has closed its output; that it ends is a matter of moments, or else of ours.
  auto until = std::chrono::steady_clock::now() + kTimeToEnd;
  int waited = 0;
  while ((waited = waitpid(child, &status, WNOHANG)) == 0 && std::chrono::steady_clock::now() < until)
    poll(nullptr, 0, 2);
  kill(-child, SIGKILL);
  if (waited == 0) {
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return fail(ErrorCode::kUnavailable, "'{}' has closed its output", options_.command);
  }
  if (WIFSIGNALED(status))
    return fail(ErrorCode::kUnavailable, "'{}' was ended by signal {}", options_.command, WTERMSIG(status));
  return fail(ErrorCode::kUnavailable, "'{}' ended with code {}", options_.command, WEXITSTATUS(status));
}

Result<std::string> Program::ask(std::span<const std::uint8_t> question) {
  if (child_ < 0) return fail(ErrorCode::kUnavailable, "'{}' has ended", options_.command);
  auto until = std::chrono::steady_clock::now() + options_.patience;
  GOPLINE_TRY(read_answer());
  if (!answer_.empty())
    return fail(ErrorCode::kUnavailable, "'{}' says more than one line to a picture", options_.command);
  for (;;) {
    auto end = answer_.find('\n');
    if (end != std::string::npos && question.empty()) {
      auto line = answer_.substr(0, end);
      answer_.erase(0, end + 1);
      return line;
    }
    if (std::chrono::steady_clock::now() >= until) {
      return fail(ErrorCode::kUnavailable, "'{}' has not answered for {}", options_.command,
                  format_duration(options_.patience));
    }
    GOPLINE_TRY(wait_and_move(question, until));
  }
}

Result<void> Program::wait_and_move(std::span<const std::uint8_t>& question,
                                    std::chrono::steady_clock::time_point until) {
  std::array<pollfd, 3> files{{{pipes_->from.get(), POLLIN, 0},
                               {pipes_->errors.get(), POLLIN, 0},
                               {question.empty() ? -1 : pipes_->to.get(), POLLOUT, 0}}};
  auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  poll(files.data(), files.size(), static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
  if (files[1].revents != 0) read_complaints();
  if (files[0].revents != 0) GOPLINE_TRY(read_answer());
  if (files[2].revents != 0) {
    auto written = write(pipes_->to.get(), question.data(), question.size());
    if (written > 0) question = question.subspan(static_cast<std::size_t>(written));
    if (written < 0 && errno != EAGAIN && errno != EINTR) return has_ended();
  }
  return {};
}

Result<void> Program::read_answer() {
  std::array<char, 65536> bytes;
  for (;;) {
    auto got = read(pipes_->from.get(), bytes.data(), bytes.size());
    if (got < 0) return {};
    if (got == 0) return has_ended();
    answer_.append(bytes.data(), static_cast<std::size_t>(got));
    if (answer_.size() > options_.most_answer_bytes) {
      return fail(ErrorCode::kUnavailable, "'{}' says more than {} to a picture", options_.command,
                  format_bytes(options_.most_answer_bytes));
    }
  }
}

void Program::read_complaints() {
  std::array<char, 4096> bytes;
  for (;;) {
    auto got = read(pipes_->errors.get(), bytes.data(), bytes.size());
    if (got == 0) pipes_->errors.close();
    if (got <= 0) return;
    for (char one : std::string_view(bytes.data(), static_cast<std::size_t>(got))) {
      if (one != '\n') {
        if (complaint_.size() < kMostComplaint) complaint_ += one;
        continue;
      }
      if (!complaint_.empty()) log_info(options_.subject, "program: {}", complaint_);
      complaint_.clear();
    }
  }
}

}  // namespace gopline::analyzer
