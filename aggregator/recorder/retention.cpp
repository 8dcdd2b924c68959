#include "aggregator/recorder/retention.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "aggregator/recorder/recording.h"
#include "common/base/logging.h"

namespace gopline::aggregator {
namespace fs = std::filesystem;
namespace {

// Every file in a folder of the directory. Folders that come and go meanwhile are no errors.
Result<void> for_each_file(const std::string& directory, const std::function<void(const fs::path&)>& visit) {
  std::error_code failed;
  fs::directory_iterator folders(directory, failed), end;
  if (failed) return fail_errno(failed.value(), directory);
  for (; folders != end; folders.increment(failed)) {
    if (failed) return fail_errno(failed.value(), directory);
    std::error_code ignored;
    if (!folders->is_directory(ignored)) continue;
    for (fs::directory_iterator files(folders->path(), ignored); !ignored && files != end;
         files.increment(ignored)) {
      visit(files->path());
    }
  }
  return {};
}

std::string contents_of(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Timestamp modified(const struct stat& status) {
  return Timestamp(std::chrono::seconds(status.st_mtim.tv_sec) +
                   std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
}

}  // namespace

void RecordingRetention::look_at(const std::string& json_path) {
  auto [found, is_new] = entries_.try_emplace(json_path);
  if (!is_new) {
    if (found->second) found->second->seen = true;
    return;
  }
  auto recording = parse_recording(contents_of(json_path));
  struct stat status {};
  bool ours = recording && ::stat(json_path.c_str(), &status) == 0 &&
              recording_folder(recording->stream) == fs::path(json_path).parent_path().filename();
  if (!ours) return;
  Entry entry{modified(status), static_cast<std::uint64_t>(status.st_size), recording->file, true};
  bool named = is_recording_name(fs::path(recording->file).stem().string()) &&
               fs::path(recording->file).filename() == recording->file;
  if (!recording->file.empty()) {
    if (!named) return;
    auto media = (fs::path(json_path).parent_path() / recording->file).string();
    if (::stat(media.c_str(), &status) == 0) entry.bytes += static_cast<std::uint64_t>(status.st_size);
  }
  found->second = std::move(entry);
}

Result<void> RecordingRetention::look() {
  for (auto& [path, entry] : entries_) {
    if (entry) entry->seen = false;
  }
  GOPLINE_TRY(for_each_file(directory_, [&](const fs::path& path) {
    if (path.extension() == ".json" && is_recording_name(path.stem().string())) look_at(path.string());
  }));
  for (auto it = entries_.begin(); it != entries_.end();)
    it = it->second && !it->second->seen ? entries_.erase(it) : std::next(it);
  return {};
}

// The file first: what says that it is ours goes last.
void RecordingRetention::remove(const std::string& json_path, const Entry& entry, Removed& removed) {
  if (!entry.media.empty()) {
    auto media = (fs::path(json_path).parent_path() / entry.media).string();
    if (::unlink(media.c_str()) != 0 && errno != ENOENT) {
      log_warning(media, "cannot be removed: {}", std::generic_category().message(errno));
      return;
    }
    ++removed.files;
  }
  if (::unlink(json_path.c_str()) != 0 && errno != ENOENT) {
    log_warning(json_path, "cannot be removed: {}", std::generic_category().message(errno));
    return;
  }
  removed.bytes += entry.bytes;
}

Result<RecordingRetention::Removed> RecordingRetention::apply(Timestamp now) {
  Removed removed;
  if (!limits_.any()) return removed;
  GOPLINE_TRY(look());
  std::uint64_t total = 0;
  std::set<std::pair<Timestamp, std::string>> oldest_first;
  for (const auto& [path, entry] : entries_) {
    if (!entry) continue;
    total += entry->bytes;
    oldest_first.emplace(entry->finished, path);
  }
  for (const auto& [finished, path] : oldest_first) {
    bool too_old = limits_.age && now - finished > *limits_.age;
    bool too_many = limits_.bytes && total > *limits_.bytes;
    if (!too_old && !too_many) break;
    auto entry = *entries_[path];
    remove(path, entry, removed);
    total -= entry.bytes;
    entries_.erase(path);
  }
  return removed;
}

std::int64_t remove_abandoned_parts(const std::string& directory) {
  std::int64_t count = 0;
  auto looked = for_each_file(directory, [&](const fs::path& path) {
    if (path.extension() != ".part" || !is_recording_name(path.stem().stem().string())) return;
    int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    if (::flock(file, LOCK_EX | LOCK_NB) == 0 && ::unlink(path.c_str()) == 0) ++count;
    ::close(file);
  });
  if (!looked) log_debug(directory, "{}", looked.error().message);
  return count;
}

}  // namespace gopline::aggregator
