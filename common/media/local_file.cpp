#include "common/media/local_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gopline::media {

bool is_url(std::string_view text) {
  auto scheme = text.find("://");
  return scheme != std::string_view::npos && scheme > 0 &&
         std::ranges::all_of(text.substr(0, scheme), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
                  c == '-' || c == '.';
         });
}

Result<void> check_local_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return fail_errno(errno, path);
  if (S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, "{}: is a folder; name the files in it, for example {}/*.mp4",
                path, path);
  }
  if (access(path.c_str(), R_OK) != 0) return fail_errno(errno, path);
  if (S_ISREG(status.st_mode) && status.st_size == 0) return fail(ErrorCode::kCorrupt, "{}: is empty", path);
  return {};
}

}  // namespace gopline::media
