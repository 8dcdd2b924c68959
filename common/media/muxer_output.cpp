#include "common/media/muxer_output.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>

namespace gopline::media {
namespace {

constexpr std::uint64_t kWriteBackBytes = 8 << 20;
constexpr int kPipeBytes = 1 << 20;  // what everybody may have

tl::unexpected<Error> fail_output(int error_number, const std::string& name, std::string_view what) {
  if (error_number == EPIPE) return fail(ErrorCode::kIo, "{}: nobody reads any more", name);
  if (error_number == ENOSPC || error_number == EDQUOT) {
    return fail(ErrorCode::kOutOfSpace, "{}: the disk is full; free some space or write elsewhere", name);
  }
  if (error_number == EFBIG) {
    return fail(ErrorCode::kTooLarge, "{}: the file would be larger than this file system or limit allows",
                name);
  }
  return fail_errno(error_number, name + ": " + std::string(what));
}

// A file's name is durable when its folder is.
Result<void> sync_folder_of(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return fail_output(errno, folder, "cannot be opened");
  int error = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  if (error != 0 && error != EINVAL) return fail_output(error, folder, "cannot be made durable");
  return {};
}

}  // namespace

Result<std::unique_ptr<OutputTarget>> OutputTarget::open(const std::string& path, Care care) {
  std::unique_ptr<OutputTarget> target(new OutputTarget());
  target->path_ = path;
  target->name_ = path == "-" ? "standard output" : path;
  if (path.empty())
    return fail(ErrorCode::kInvalidArgument, "the output has no name; give a file, or - for standard output");
  if (path == "-") {
    target->file_ = STDOUT_FILENO;
    // A hint: where it is a pipe, a fragment goes into it at once instead of waiting for its reader halfway.
    ::fcntl(STDOUT_FILENO, F_SETPIPE_SZ, kPipeBytes);
    return target;
  }
  struct stat status {};
  bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, "{}: is a folder; name a file in it", path);
  }
  bool direct = exists && !S_ISREG(status.st_mode);
  target->working_path_ = direct ? path : path + ".part";
  target->durable_ = care == Care::kDurable && !direct;
  GOPLINE_TRY(target->open_file(direct));
  target->owns_file_ = true;
  target->renames_ = !direct;
  target->seekable_ = !direct;
  return target;
}

std::unique_ptr<OutputTarget> OutputTarget::to_function(
    std::function<bool(std::span<const std::uint8_t>)> write) {
  std::unique_ptr<OutputTarget> target(new OutputTarget());
  target->name_ = "output";
  target->function_ = std::move(write);
  return target;
}

Result<void> OutputTarget::open_file(bool direct) {
  int flags = direct ? O_WRONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
  if (durable_) {
    // A new file, never the one that another program may still be writing to.
    flags |= O_EXCL;
    ::unlink(working_path_.c_str());
  }
  file_ = ::open(working_path_.c_str(), flags, 0666);
  if (file_ < 0) return fail_output(errno, path_, "cannot be written");
  if (durable_) ::flock(file_, LOCK_EX | LOCK_NB);  // where there are no locks, others just cannot tell
  return {};
}

OutputTarget::~OutputTarget() {
  bool removes = renames_ && (!durable_ || owns_part());
  if (owns_file_) ::close(file_);
  if (removes) ::unlink(working_path_.c_str());
}

void OutputTarget::advance(std::size_t count) {
  position_ += count;
  size_ = std::max(size_, position_);
  if (durable_ && size_ - written_back_ >= kWriteBackBytes) start_writing_back();
}

// A hint: what does not come of it, fsync() waits for.
void OutputTarget::start_writing_back() {
  ::sync_file_range(file_, static_cast<off64_t>(written_back_), static_cast<off64_t>(size_ - written_back_),
                    SYNC_FILE_RANGE_WRITE);
  written_back_ = size_;
}

// Whether PATH.part is still the file that is open.
bool OutputTarget::owns_part() const {
  struct stat ours {
  }, there{};
  return owns_file_ && ::fstat(file_, &ours) == 0 && ::stat(working_path_.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

Result<void> OutputTarget::write(std::span<const std::uint8_t> bytes) {
  if (function_) {
    if (!bytes.empty() && !function_(bytes))
      return fail(ErrorCode::kCancelled, "{}: stopped by its reader", name_);
    advance(bytes.size());
    return {};
  }
  while (!bytes.empty()) {
    auto written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_output(errno, name_, "cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    advance(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> OutputTarget::write(const BufferChain& bytes) {
  const auto& buffers = bytes.buffers();
  constexpr std::size_t kBatch = 64;
  for (std::size_t at = 0; at < buffers.size();) {
    std::array<iovec, kBatch> batch;
    std::size_t count = function_ ? 1 : std::min(kBatch, buffers.size() - at);
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto& buffer = buffers[at + i];
      batch[i] = {const_cast<std::uint8_t*>(buffer.data()), buffer.size()};
      wanted += buffer.size();
    }
    std::size_t done = 0;
    if (count > 1) {
      auto written = ::writev(file_, batch.data(), static_cast<int>(count));
      if (written < 0 && errno != EINTR) return fail_output(errno, name_, "cannot be written");
      done = written < 0 ? 0 : static_cast<std::size_t>(written);
      advance(done);
    }
    for (std::size_t i = 0; i < count && done < wanted; ++i) {  // what the one call left
      const auto& buffer = buffers[at + i];
      if (done >= buffer.size()) {
        done -= buffer.size();
        wanted -= buffer.size();
        continue;
      }
      GOPLINE_TRY(write(buffer.bytes().subspan(done)));
      wanted -= buffer.size();
      done = 0;
    }
    at += count;
  }
  return {};
}

Result<void> OutputTarget::seek(std::uint64_t position) {
  if (!seekable_) return fail(ErrorCode::kUnsupported, "{}: cannot be written out of order", name_);
  if (::lseek(file_, static_cast<off_t>(position), SEEK_SET) < 0)
    return fail_output(errno, name_, "cannot be positioned");
  position_ = position;
  return {};
}

Result<void> OutputTarget::make_durable() {
  if (::fsync(file_) != 0) return fail_output(errno, name_, "cannot be made durable");
  if (owns_part()) return {};
  renames_ = false;
  return fail(ErrorCode::kConflict, "{}: another program writes it now", name_);
}

Result<void> OutputTarget::commit() {
  if (!owns_file_) return {};
  if (durable_) GOPLINE_TRY(make_durable());
  owns_file_ = false;
  if (::close(file_) != 0) return fail_output(errno, name_, "cannot be written");
  if (!renames_) return {};
  if (std::rename(working_path_.c_str(), path_.c_str()) != 0)
    return fail_output(errno, name_, "cannot take its name");
  renames_ = false;
  return durable_ ? sync_folder_of(path_) : Result<void>();
}

}  // namespace gopline::media
