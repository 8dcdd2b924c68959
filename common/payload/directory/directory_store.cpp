#include "common/payload/directory/directory_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/payload/blob_key.h"
#include "common/payload/directory/posix_file.h"

namespace gopline::payload {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinished = ".part";  // ends the names of files that are being written
constexpr std::string_view kScheme = "file://";

bool is_unfinished(const fs::path& path) {
  auto name = path.filename().string();
  return name.starts_with('.') && name.ends_with(kUnfinished);
}

// Keys come from records: none may lead out of the folder.
bool stays_inside(std::string_view key) {
  if (key.empty() || key.find("//") != std::string_view::npos) return false;
  auto path = fs::path(key);
  return path.is_relative() && std::none_of(path.begin(), path.end(), [](const fs::path& part) {
           return part.empty() || part == "." || part == "..";
         });
}

tl::unexpected<Error> cancelled(const std::string& uri) {
  return fail(ErrorCode::kCancelled, "{}: stopped", uri);
}

class DirectoryStore final : public BlobStore {
 public:
  explicit DirectoryStore(fs::path folder) : folder_(std::move(folder)) {}

  Result<PutBlob> put(const std::string& key, const BufferChain& bytes, StopToken stop) override {
    GOPLINE_ASSIGN(auto path, path_of(key));
    auto uri = uri_of(key);
    if (stop.stop_requested()) return cancelled(uri);
    struct stat known {};
    if (::stat(path.c_str(), &known) == 0 && static_cast<std::uint64_t>(known.st_size) == bytes.size()) {
      // A collector looks at the time again before it removes anything: from here on the blob is young.
      if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0) return PutBlob{uri, true};
      if (errno != ENOENT) return fail_errno(errno, uri);  // ENOENT: collected in between
    }
    GOPLINE_TRY(make_folders(path.parent_path()));
    auto unfinished = path.parent_path() /
                      ("." + path.filename().string() + "." + random_uuid() + std::string(kUnfinished));
    auto written = write_file(unfinished, bytes, stop);
    if (written && ::rename(unfinished.c_str(), path.c_str()) != 0) written = fail_errno(errno, uri);
    if (!written) {
      ::unlink(unfinished.c_str());
      return fail_with_context(uri, std::move(written.error()));
    }
    GOPLINE_TRY(sync_folder(path.parent_path()));
    return PutBlob{std::move(uri), false};
  }

  Result<Buffer> get(const std::string& key, ByteRange range, StopToken stop) override {
    GOPLINE_ASSIGN(auto path, path_of(key));
    auto uri = uri_of(key);
    if (stop.stop_requested()) return cancelled(uri);
    auto file = PosixFile::open(path, O_RDONLY);
    if (!file) return fail_with_context(uri, std::move(file.error()));
    auto bytes = file->read(range.offset, range.size);
    if (!bytes) return fail_with_context(uri, std::move(bytes.error()));
    return *bytes;
  }

  Result<BlobInfo> stat(const std::string& key, StopToken) override {
    GOPLINE_ASSIGN(auto path, path_of(key));
    struct stat known {};
    if (::stat(path.c_str(), &known) != 0) return fail_errno(errno, uri_of(key));
    return info_of(key, known);
  }

  Result<void> list(const std::string& prefix, const std::function<bool(const BlobInfo&)>& each,
                    StopToken stop) override {
    // Below the deepest folder that the prefix names.
    auto slash = prefix.rfind('/');
    std::string below = slash == std::string::npos ? "" : prefix.substr(0, slash + 1);
    if (!below.empty() && !stays_inside(below.substr(0, below.size() - 1))) return {};
    auto ended = walk(below, prefix, each, stop);
    return ended ? Result<void>{} : tl::unexpected<Error>(std::move(ended.error()));
  }

  Result<void> remove(const std::string& key, StopToken) override {
    GOPLINE_ASSIGN(auto path, path_of(key));
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno(errno, uri_of(key));
    // Empty hours and streams go too; where another blob has just come, this fails, as it should.
    for (auto folder = path.parent_path(); folder != folder_; folder = folder.parent_path()) {
      if (::rmdir(folder.c_str()) != 0) break;
    }
    return {};
  }

  Result<std::int64_t> collect_unfinished(Timestamp before, bool dry_run, StopToken stop) override {
    std::int64_t found = 0;
    std::error_code code;
    for (fs::recursive_directory_iterator it(folder_, code), end; !code && it != end; it.increment(code)) {
      if (stop.stop_requested()) return cancelled(describe());
      if (!is_unfinished(it->path())) continue;
      struct stat known {};
      if (::stat(it->path().c_str(), &known) != 0 || modified_of(known) >= before) continue;
      if (!dry_run && ::unlink(it->path().c_str()) != 0) continue;
      ++found;
    }
    return found;
  }

  Result<std::string> presign(const std::string& key, Duration) override {
    return fail(ErrorCode::kUnsupported, "{}: a folder has no URLs that others could fetch", uri_of(key));
  }

  std::string uri_of(const std::string& key) const override {
    return std::string(kScheme) + encode_path((folder_ / key).string());
  }

  Result<std::string> key_of(const std::string& uri) const override {
    if (!uri.starts_with(kScheme)) {
      return fail(ErrorCode::kInvalidArgument, "'{}' is not in the folder {}", uri, folder_.string());
    }
    GOPLINE_ASSIGN(auto path, percent_decode(uri.substr(kScheme.size())));
    auto inside = folder_.string() + "/";
    if (path.starts_with(inside) && stays_inside(path.substr(inside.size())))
      return path.substr(inside.size());
    // The same folder under another name: mounted elsewhere, or copied.
    auto begin = path.size();
    for (int parts = 0; parts < 4 && begin != std::string::npos && begin > 0; ++parts) {
      begin = path.rfind('/', begin - 1);
    }
    if (begin != std::string::npos && parse_blob_key(path.substr(begin + 1))) return path.substr(begin + 1);
    return fail(ErrorCode::kInvalidArgument, "'{}' is not in the folder {}", uri, folder_.string());
  }

  std::string describe() const override { return folder_.string(); }

 private:
  Result<fs::path> path_of(const std::string& key) const {
    if (!stays_inside(key)) {
      return fail(ErrorCode::kInvalidArgument, "'{}' is no key of a blob in {}", key, folder_.string());
    }
    return folder_ / key;
  }

  static Timestamp modified_of(const struct stat& known) {
    return Timestamp(std::chrono::duration_cast<Duration>(std::chrono::seconds(known.st_mtim.tv_sec) +
                                                          std::chrono::nanoseconds(known.st_mtim.tv_nsec)));
  }
  static BlobInfo info_of(const std::string& key, const struct stat& known) {
    return {key, static_cast<std::uint64_t>(known.st_size), modified_of(known)};
  }

  // Durably, each new one in the one above it.
  static Result<void> make_folders(const fs::path& folder) {
    std::error_code code;
    if (fs::is_directory(folder, code)) return {};
    GOPLINE_TRY(make_folders(folder.parent_path()));
    fs::create_directory(folder, code);
    if (code) return fail_errno(code.value(), folder.string());
    return sync_folder(folder.parent_path());
  }

  // Folder by folder in order of names: keys that share a folder's name as their beginning ("a/", "a.b") come
  // in the order of the whole keys.
  Result<bool> walk(const std::string& below, const std::string& prefix,
                    const std::function<bool(const BlobInfo&)>& each, const StopToken& stop) {
    std::error_code code;
    std::vector<std::pair<std::string, bool>> names;  // with '/' for folders
    for (fs::directory_iterator it(folder_ / below, code), end; !code && it != end; it.increment(code)) {
      std::error_code ignored;
      bool is_folder = it->is_directory(ignored);
      if (!is_folder && is_unfinished(it->path())) continue;
      names.emplace_back(it->path().filename().string() + (is_folder ? "/" : ""), is_folder);
    }
    if (code && code != std::errc::no_such_file_or_directory && code != std::errc::not_a_directory) {
      return fail_errno(code.value(), (folder_ / below).string());
    }
    std::sort(names.begin(), names.end());
    for (const auto& [name, is_folder] : names) {
      if (stop.stop_requested()) return cancelled(describe());
      auto key = below + name;
      auto common = std::min(key.size(), prefix.size());
      if (key.compare(0, common, prefix, 0, common) != 0) continue;
      if (is_folder) {
        GOPLINE_ASSIGN(auto go_on, walk(key, prefix, each, stop));
        if (!go_on) return false;
        continue;
      }
      struct stat known {};
      if (key.size() < prefix.size() || ::stat((folder_ / key).c_str(), &known) != 0) continue;  // just gone
      if (S_ISREG(known.st_mode) && !each(info_of(key, known))) return false;
    }
    return true;
  }

  const fs::path folder_;  // absolute
};

}  // namespace

Result<std::unique_ptr<BlobStore>> open_directory_store(const fs::path& folder, bool create) {
  std::error_code code;
  auto absolute = fs::absolute(folder, code).lexically_normal();
  if (!code && create) fs::create_directories(absolute, code);
  if (code) return fail_errno(code.value(), folder.string());
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // "a/b/" names b
  return std::make_unique<DirectoryStore>(std::move(absolute));
}

}  // namespace gopline::payload
