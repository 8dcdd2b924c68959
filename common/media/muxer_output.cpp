#include "common/media/muxer_output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>

namespace gopline::media {
namespace {

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

}  // namespace

Result<std::unique_ptr<OutputTarget>> OutputTarget::open(const std::string& path) {
  std::unique_ptr<OutputTarget> target(new OutputTarget());
  target->path_ = path;
  target->name_ = path == "-" ? "standard output" : path;
  if (path.empty())
    return fail(ErrorCode::kInvalidArgument, "the output has no name; give a file, or - for standard output");
  if (path == "-") {
    target->file_ = STDOUT_FILENO;
    return target;
  }
  struct stat status {};
  bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, "{}: is a folder; name a file in it", path);
  }
  bool direct = exists && !S_ISREG(status.st_mode);
  target->working_path_ = direct ? path : path + ".part";
  int flags = direct ? O_WRONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
  target->file_ = ::open(target->working_path_.c_str(), flags, 0666);
  if (target->file_ < 0) return fail_output(errno, path, "cannot be written");
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

OutputTarget::~OutputTarget() {
  if (owns_file_) ::close(file_);
  if (renames_) ::unlink(working_path_.c_str());
}

void OutputTarget::advance(std::size_t count) {
  position_ += count;
  size_ = std::max(size_, position_);
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

Result<void> OutputTarget::commit() {
  if (!owns_file_) return {};
  owns_file_ = false;
  if (::close(file_) != 0) return fail_output(errno, name_, "cannot be written");
  if (!renames_) return {};
  if (std::rename(working_path_.c_str(), path_.c_str()) != 0)
    return fail_output(errno, name_, "cannot take its name");
  renames_ = false;
  return {};
}

}  // namespace gopline::media
