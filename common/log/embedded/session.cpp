#include "common/log/embedded/session.h"

#include <map>
#include <set>
#include <vector>

#include "common/base/logging.h"
#include "common/base/uuid.h"
#include "common/log/embedded/catalogue_schema.h"
#include "common/log/embedded/layout.h"

namespace gopline::embedded {
namespace {

constexpr std::string_view kLockSuffix = ".lock";
// Beyond this, checking a catalogue after a crash would hold up the opening; SQLite's own recovery has run in
// any case.
constexpr std::int64_t kLargestCheckedCatalogue = 256 << 20;

// Payload files are named TOPIC-SESSION-COUNT.values; a session is a UUID, which has dashes itself.
std::string session_of(const std::string& file) {
  auto first = file.find('-');
  auto last = file.rfind('-');
  return first == std::string::npos || last <= first ? std::string()
                                                     : file.substr(first + 1, last - first - 1);
}

// Which sessions live. Locks of dead ones are taken and kept, so that what is found about them stays true.
class Sessions {
 public:
  Sessions(FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  bool is_dead(const std::string& session) {
    if (dead_.contains(session)) return true;
    if (alive_.contains(session)) return false;
    auto path = session_path(directory_, session);
    auto present = files_.exists(path);
    if (present && !*present) return dead_.try_emplace(session, nullptr).second;
    auto lock = files_.open(path, FileSystem::Open::kReadWrite);
    auto locked = lock ? (*lock)->try_lock() : Result<bool>(false);
    if (!lock && lock.error().code == ErrorCode::kNotFound) return dead_.try_emplace(session, nullptr).second;
    if (!locked || !*locked) {
      alive_.insert(session);
      return false;
    }
    died_ = true;
    return dead_.try_emplace(session, std::move(*lock)).second;
  }

  bool anyone_died() const { return died_; }

  void remove_locks() {
    for (const auto& [session, lock] : dead_) {
      if (lock) (void)files_.remove(session_path(directory_, session));
    }
  }

 private:
  FileSystem& files_;
  const std::string directory_;
  std::map<std::string, std::unique_ptr<File>> dead_;
  std::set<std::string> alive_;
  bool died_ = false;
};

// A file that a dead session was still writing is cut to what its rows refer to, and closed; without rows, it
// goes.
struct OpenFile {
  std::int64_t id;
  std::string name;
  std::uint64_t length;
  std::int64_t records;
};

Result<std::vector<OpenFile>> open_files_of_the_dead(sqlite::Database& database, Sessions& sessions) {
  GOPLINE_ASSIGN(auto select,
                 database.prepare("SELECT id, name, length, records, session FROM files WHERE NOT sealed"));
  std::vector<OpenFile> files;
  while (true) {
    GOPLINE_ASSIGN(bool row, select.step());
    if (!row) return files;
    if (!sessions.is_dead(std::string(select.bytes(4)))) continue;
    files.push_back({select.integer(0), std::string(select.bytes(1)),
                     static_cast<std::uint64_t>(select.integer(2)), select.integer(3)});
  }
}

void cut(FileSystem& files, const std::string& path, std::uint64_t length, Recovery& recovery) {
  auto file = files.open(path, FileSystem::Open::kReadWrite);
  if (!file) return;  // a missing file is found, and told, by who reads its records
  auto size = (*file)->size();
  if (!size || *size <= length) return;
  if ((*file)->truncate(length)) recovery.reclaimed_bytes += *size - length;
}

Result<void> seal_open_files(FileSystem& files, const std::string& directory, sqlite::Database& database,
                             std::mutex& turn, Sessions& sessions, Recovery& recovery) {
  std::vector<OpenFile> open;
  {
    GOPLINE_ASSIGN(open, open_files_of_the_dead(database, sessions));
    if (open.empty()) return {};
  }
  std::vector<std::string> unreferenced;
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database, turn));
  GOPLINE_ASSIGN(open, open_files_of_the_dead(database, sessions));
  GOPLINE_ASSIGN(auto seal, database.prepare("UPDATE files SET sealed = 1 WHERE id = ?"));
  GOPLINE_ASSIGN(auto remove, database.prepare("DELETE FROM files WHERE id = ?"));
  for (const auto& file : open) {
    if (file.records <= 0) {
      GOPLINE_TRY(remove.bind(file.id).run());
      unreferenced.push_back(file.name);
      continue;
    }
    cut(files, payload_path(directory, file.name), file.length, recovery);
    GOPLINE_TRY(seal.bind(file.id).run());
    ++recovery.sealed_files;
  }
  GOPLINE_TRY(transaction.commit());
  for (const auto& name : unreferenced) {
    if (files.remove(payload_path(directory, name))) ++recovery.removed_files;
  }
  return {};
}

// The rows are looked up after a session is known to be dead: from then on it adds none.
Result<void> remove_unreferenced_files(FileSystem& files, const std::string& directory,
                                       sqlite::Database& database, Sessions& sessions, Recovery& recovery) {
  GOPLINE_ASSIGN(auto names, files.list(payload_directory(directory)));
  std::erase_if(names, [&](const std::string& name) {
    auto session = session_of(name);
    return session.empty() || !sessions.is_dead(session);
  });
  GOPLINE_ASSIGN(auto find, database.prepare("SELECT 1 FROM files WHERE name = ?"));
  for (const auto& name : names) {
    GOPLINE_ASSIGN(bool referenced, find.bind(name).step());
    find.reset();
    if (referenced) continue;
    auto path = payload_path(directory, name);
    cut(files, path, 0, recovery);
    if (files.remove(path)) ++recovery.removed_files;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Session>> Session::begin(std::shared_ptr<FileSystem> files,
                                                const std::string& directory) {
  while (true) {
    auto name = random_uuid();
    auto path = session_path(directory, name);
    GOPLINE_ASSIGN(auto lock, files->open(path, FileSystem::Open::kCreateNew));
    GOPLINE_ASSIGN(bool mine, lock->try_lock());
    // Another opening may have taken the new file for a dead session's before it was locked.
    if (mine) return std::unique_ptr<Session>(new Session(std::move(files), path, name, std::move(lock)));
  }
}

Session::~Session() {
  if (clean_) (void)files_->remove(path_);
}

Result<Recovery> recover_dead_sessions(FileSystem& files, const std::string& directory,
                                       sqlite::Database& database, std::mutex& turn) {
  Recovery recovery;
  Sessions sessions(files, directory);
  GOPLINE_ASSIGN(auto locks, files.list(sessions_directory(directory)));
  for (const auto& name : locks) {
    if (name.size() > kLockSuffix.size() && name.ends_with(kLockSuffix)) {
      sessions.is_dead(name.substr(0, name.size() - kLockSuffix.size()));
    }
  }
  if (sessions.anyone_died()) {
    recovery.unclean = true;
    GOPLINE_ASSIGN(auto pages, database.integer("PRAGMA page_count"));
    GOPLINE_ASSIGN(auto page_size, database.integer("PRAGMA page_size"));
    if (pages * page_size <= kLargestCheckedCatalogue) GOPLINE_TRY(check_catalogue(database));
  }
  GOPLINE_TRY(seal_open_files(files, directory, database, turn, sessions, recovery));
  GOPLINE_TRY(remove_unreferenced_files(files, directory, database, sessions, recovery));
  sessions.remove_locks();
  if (recovery.removed_files > 0 || recovery.reclaimed_bytes > 0) {
    log_info(directory,
             "an earlier run ended without closing the log: {} files closed, {} removed, {} bytes reclaimed",
             recovery.sealed_files, recovery.removed_files, recovery.reclaimed_bytes);
  }
  return recovery;
}

}  // namespace gopline::embedded
