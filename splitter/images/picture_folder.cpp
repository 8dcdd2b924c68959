#include "splitter/images/picture_folder.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <compare>
#include <cstdint>
#include <set>
#include <utility>

namespace gopline::splitter {
namespace {

// What differs when a file was written again.
struct FileStamp {
  std::uint64_t inode = 0;
  std::int64_t size = 0, seconds = 0, nanoseconds = 0;
  auto operator<=>(const FileStamp&) const = default;
};

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileStamp{status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  const int number_;
};

// Whose kernel does not see what other machines, or programs behind it, write.
bool is_written_unseen(const std::string& folder) {
  static constexpr std::array<std::uint32_t, 8> kTypes{
      0x6969,      // NFS
      0x517B,      // SMB
      0xFF534D42,  // CIFS
      0xFE534D42,  // SMB2
      0x65735546,  // FUSE
      0x01021997,  // 9P
      0x5346414F,  // AFS
      0x00C36400,  // Ceph
  };
  struct statfs status {};
  if (::statfs(folder.c_str(), &status) != 0) return false;
  return std::ranges::find(kTypes, static_cast<std::uint32_t>(status.f_type)) != kTypes.end();
}

// What the ways of watching share: which files have been told of, as they were then.
class WatchedFolder : public PictureFolder {
 public:
  explicit WatchedFolder(PictureFiles files) : files_(std::move(files)), wake_(::eventfd(0, EFD_CLOEXEC)) {}

  // What is there now is as if it had been told of.
  Result<void> pass_over() {
    GOPLINE_ASSIGN(auto names, names_of(files_));
    for (const auto& name : names) {
      if (auto stamp = stamp_of(path_of(name))) told_.emplace(name, *stamp);
    }
    return {};
  }

  Result<std::vector<std::string>> next(const StopToken& stop) override {
    std::stop_callback wake(stop, [this] {
      std::uint64_t one = 1;
      [[maybe_unused]] auto written = ::write(wake_.get(), &one, sizeof one);
    });
    while (!stop.stop_requested()) {
      GOPLINE_ASSIGN(auto found, look());
      if (!found.empty()) return found;
      GOPLINE_TRY(await_news());
    }
    return std::vector<std::string>{};
  }

 protected:
  virtual Result<std::vector<std::string>> look() = 0;
  virtual Result<void> await_news() = 0;

  std::string path_of(const std::string& name) const { return files_.folder + "/" + name; }
  int wake() const { return wake_.get(); }

  // Whether the file is other than when it was told of; it is told of now.
  bool is_news(const std::string& name, const FileStamp& stamp) {
    auto [told, is_new] = told_.try_emplace(name, stamp);
    return is_new || std::exchange(told->second, stamp) != stamp;
  }

  const PictureFiles files_;
  std::map<std::string, FileStamp> told_;  // of files that are there

 private:
  const Descriptor wake_;
};

class FolderOfEvents final : public WatchedFolder {
 public:
  FolderOfEvents(PictureFiles files, int inotify) : WatchedFolder(std::move(files)), inotify_(inotify) {}

 private:
  Result<std::vector<std::string>> look() override {
    if (std::exchange(must_list_, false)) return list();
    std::vector<std::string> paths;
    for (const auto& name : std::exchange(complete_, {})) {
      auto stamp = stamp_of(path_of(name));
      if (stamp && is_news(name, *stamp)) paths.push_back(path_of(name));
    }
    return paths;
  }

  // At the beginning, and where events were lost: all that is there.
  Result<std::vector<std::string>> list() {
    GOPLINE_ASSIGN(auto names, names_of(files_));
    std::vector<std::string> paths;
    for (const auto& name : names) {
      auto stamp = stamp_of(path_of(name));
      if (stamp && is_news(name, *stamp)) paths.push_back(path_of(name));
    }
    return paths;
  }

  Result<void> await_news() override {
    std::array<pollfd, 2> fds{pollfd{inotify_.get(), POLLIN, 0}, pollfd{wake(), POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return fail_errno(errno, files_.folder);
    alignas(inotify_event) std::array<char, 1 << 16> events{};
    if ((fds[0].revents & POLLIN) == 0) return {};
    auto size = ::read(inotify_.get(), events.data(), events.size());
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0)
        return fail(ErrorCode::kNotFound, "{}: the folder has gone", files_.folder);
      note(*event);
    }
    return {};
  }

  void note(const inotify_event& event) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) must_list_ = true;
    if (event.len == 0) return;
    std::string name(event.name);
    if ((event.mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
      told_.erase(name);
    } else if (is_one_of(files_, name)) {
      complete_.push_back(std::move(name));
    }
  }

  const Descriptor inotify_;
  bool must_list_ = true;
  std::vector<std::string> complete_;  // of one reading of events, in order
};

class FolderOfLooks final : public WatchedFolder {
 public:
  FolderOfLooks(PictureFiles files, Duration between) : WatchedFolder(std::move(files)), between_(between) {}

 private:
  Result<std::vector<std::string>> look() override {
    GOPLINE_ASSIGN(auto names, names_of(files_));
    std::vector<std::string> paths;
    std::map<std::string, FileStamp> seen;
    for (const auto& name : names) {
      auto stamp = stamp_of(path_of(name));
      if (!stamp) continue;
      seen.emplace(name, *stamp);
      auto before = seen_.find(name);
      bool stands_still = before != seen_.end() && before->second == *stamp;
      if (stands_still && is_news(name, *stamp)) paths.push_back(path_of(name));
    }
    std::erase_if(told_, [&](const auto& one) { return !seen.contains(one.first); });
    seen_ = std::move(seen);
    return paths;
  }

  Result<void> await_news() override {
    pollfd fd{wake(), POLLIN, 0};
    auto wait = std::chrono::ceil<std::chrono::milliseconds>(between_).count();
    if (::poll(&fd, 1, static_cast<int>(wait)) < 0 && errno != EINTR) return fail_errno(errno, files_.folder);
    return {};
  }

  const Duration between_;
  std::map<std::string, FileStamp> seen_;  // by the look before
};

}  // namespace

Result<std::unique_ptr<PictureFolder>> PictureFolder::open(PictureFiles files, const FolderOptions& options) {
  std::unique_ptr<WatchedFolder> folder;
  bool looks = options.news == FolderNews::kLooks ||
               (options.news == FolderNews::kAuto && is_written_unseen(files.folder));
  if (!looks) {
    int inotify = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    constexpr std::uint32_t kNews =
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    if (inotify >= 0 && ::inotify_add_watch(inotify, files.folder.c_str(), kNews) >= 0) {
      folder = std::make_unique<FolderOfEvents>(files, inotify);
    } else {
      int error = errno;
      if (inotify >= 0) ::close(inotify);
      // The system's limit of watches may be used up: then it is looked into.
      bool is_limit = error == EMFILE || error == ENOSPC || error == ENOMEM;
      if (options.news == FolderNews::kEvents || !is_limit) return fail_errno(error, files.folder);
    }
  }
  if (!folder) folder = std::make_unique<FolderOfLooks>(files, options.between_looks);
  if (options.new_only) GOPLINE_TRY(folder->pass_over());
  if (auto names = names_of(files); !names) return tl::unexpected<Error>(std::move(names.error()));
  return folder;
}

}  // namespace gopline::splitter
