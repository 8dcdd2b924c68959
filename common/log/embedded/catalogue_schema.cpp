#include "common/log/embedded/catalogue_schema.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <thread>

#include "common/base/logging.h"
#include "common/log/embedded/layout.h"

namespace gopline::embedded {
namespace {

constexpr std::int64_t kApplicationId = 0x474f504c;  // "GOPL"
constexpr std::int64_t kSchemaVersion = 1;

// How it hangs together is told in README.md; a change here is a new kSchemaVersion and a migration.
constexpr const char* kSchema = R"sql(
CREATE TABLE topics (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  partitions INTEGER NOT NULL,
  retention_us INTEGER,
  retention_bytes INTEGER,
  compacted INTEGER NOT NULL
) STRICT;
CREATE TABLE partitions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic INTEGER NOT NULL,
  number INTEGER NOT NULL,
  begin INTEGER NOT NULL DEFAULT 0,
  end INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  latest_us INTEGER NOT NULL DEFAULT -9223372036854775808,
  uncompacted INTEGER NOT NULL DEFAULT 0,
  removals INTEGER NOT NULL DEFAULT 0,
  UNIQUE (topic, number)
) STRICT;
CREATE TABLE files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  topic INTEGER NOT NULL,
  session TEXT NOT NULL,
  length INTEGER NOT NULL,
  records INTEGER NOT NULL,
  sealed INTEGER NOT NULL
) STRICT;
CREATE TABLE records (
  id INTEGER PRIMARY KEY,
  timestamp_us INTEGER NOT NULL,
  latest_us INTEGER NOT NULL,
  key BLOB NOT NULL,
  headers BLOB NOT NULL,
  bytes INTEGER NOT NULL,
  size INTEGER,
  checksum INTEGER,
  file INTEGER,
  position INTEGER,
  value BLOB
) STRICT;
CREATE TABLE reader_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  generation INTEGER NOT NULL
) STRICT;
CREATE TABLE members (
  reader_group INTEGER NOT NULL,
  name TEXT NOT NULL,
  instance TEXT NOT NULL,
  topics BLOB NOT NULL,
  deadline_us INTEGER NOT NULL,
  timeout_us INTEGER NOT NULL,
  PRIMARY KEY (reader_group, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE owners (
  reader_group INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  member TEXT NOT NULL,
  PRIMARY KEY (reader_group, partition)
) STRICT, WITHOUT ROWID;
CREATE TABLE commits (
  reader_group INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  next INTEGER NOT NULL,
  PRIMARY KEY (reader_group, partition)
) STRICT, WITHOUT ROWID;
CREATE VIEW record_list AS
  SELECT t.name AS topic, p.number AS partition, r.id & 0xffffffffff AS offset,
         strftime('%Y-%m-%dT%H:%M:%fZ', r.timestamp_us / 1e6, 'unixepoch') AS written,
         CAST(r.key AS TEXT) AS key, r.size AS value_bytes, f.name AS file, r.position AS position
  FROM records r JOIN partitions p ON p.id = r.id >> 40 JOIN topics t ON t.id = p.topic
  LEFT JOIN files f ON f.id = r.file;
)sql";

Result<sqlite::Database> connect(const EmbeddedLogOptions& options, bool create) {
  sqlite::OpenOptions how;
  how.read_only = options.read_only;
  how.create = create;
  how.vfs = options.file_system->sqlite_vfs();
  how.busy_timeout = options.busy_timeout;
  GOPLINE_ASSIGN(auto database, sqlite::Database::open(catalogue_path(options.directory), how));
  // FULL: a transaction survives a power cut when COMMIT returns, which in WAL mode is what it adds to
  // NORMAL.
  GOPLINE_TRY(
      database.execute("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096; "
                       "PRAGMA wal_autocheckpoint = 1000;"
                       "PRAGMA journal_size_limit = 67108864;"));
  return database;
}

// SQLite needs a -shm file to read a WAL database, unless it is told that nobody writes, which is what it is
// told of a log where none can be made. What a -wal file holds would be left out then, and half of a
// checkpoint is no database.
Result<sqlite::Database> connect_immutable(const EmbeddedLogOptions& options) {
  auto path = catalogue_path(options.directory);
  auto wal = options.file_system->open(path + "-wal", FileSystem::Open::kRead);
  auto unmerged = wal ? (*wal)->size() : Result<std::uint64_t>(0);
  if (!unmerged || *unmerged > 0) {
    return fail(
        ErrorCode::kUnavailable,
        "{}: its last writer ended without closing it, and what it left in {}-wal cannot be read here: there "
        "is no room or no right to make catalogue.db-shm; free 64 KiB, or copy the folder to where one may "
        "write and read the copy",
        options.directory, path);
  }
  std::string uri = "file:";
  for (char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  sqlite::OpenOptions how;
  how.read_only = true;
  how.vfs = options.file_system->sqlite_vfs();
  return sqlite::Database::open(uri + "?immutable=1", how);
}

// Anything that this log has not put there itself.
Result<bool> has_foreign_files(const EmbeddedLogOptions& options) {
  constexpr std::array<std::string_view, 5> kOwn = {"payload", "sessions", "tail", "lost+found",
                                                    "catalogue.db"};
  GOPLINE_ASSIGN(auto names, options.file_system->list(options.directory));
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(kOwn.begin(), kOwn.end(), name) == kOwn.end() && name.rfind("catalogue.db-", 0) != 0;
  });
}

Result<void> create_schema(const EmbeddedLogOptions& options) {
  GOPLINE_ASSIGN(auto database, connect(options, true));
  GOPLINE_TRY(database.execute("PRAGMA page_size = 8192"));
  GOPLINE_TRY(database.execute("PRAGMA journal_mode = WAL"));
  std::mutex turn;
  GOPLINE_ASSIGN(auto transaction, sqlite::WriteTransaction::begin(database, turn));
  GOPLINE_ASSIGN(auto version, database.integer("PRAGMA user_version"));
  if (version != 0) return {};  // another process was faster
  GOPLINE_TRY(database.execute(kSchema));
  auto stamp =
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, kSchemaVersion);
  GOPLINE_TRY(database.execute(stamp.c_str()));
  return transaction.commit();
}

// Two processes that create one log at once disturb each other while SQLite changes its journal mode.
Result<void> create_schema_patiently(const EmbeddedLogOptions& options) {
  auto until = std::chrono::steady_clock::now() + options.busy_timeout;
  while (true) {
    auto outcome = create_schema(options);
    if (outcome || outcome.error().code != ErrorCode::kUnavailable) return outcome;
    if (std::chrono::steady_clock::now() > until) return outcome;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Result<void> create_directory(const EmbeddedLogOptions& options) {
  auto& files = *options.file_system;
  const auto& directory = options.directory;
  GOPLINE_TRY(files.create_directories(payload_directory(directory)));
  GOPLINE_TRY(files.create_directories(sessions_directory(directory)));
  GOPLINE_TRY(files.open(tail_path(directory), FileSystem::Open::kCreate));
  GOPLINE_TRY(create_schema_patiently(options));
  GOPLINE_TRY(files.sync_directory(directory));
  auto parent = std::filesystem::path(directory).lexically_normal();
  parent = parent.has_filename() ? parent.parent_path() : parent.parent_path().parent_path();
  return files.sync_directory(parent.empty() ? "." : parent.string());
}

Result<void> check_version(sqlite::Database& database, const std::string& path) {
  GOPLINE_ASSIGN(auto application, database.integer("PRAGMA application_id"));
  GOPLINE_ASSIGN(auto version, database.integer("PRAGMA user_version"));
  if (application != kApplicationId) {
    return fail(ErrorCode::kInvalidArgument,
                "{}: an SQLite file, but not a gopline catalogue; name another folder", path);
  }
  if (version > kSchemaVersion) {
    return fail(ErrorCode::kUnsupported,
                "{}: written by a newer gopline (schema {}, this program knows {}); upgrade this program",
                path, version, kSchemaVersion);
  }
  return {};
}

Result<void> refuse_foreign_directory(const EmbeddedLogOptions& options) {
  GOPLINE_ASSIGN(bool present, options.file_system->exists(options.directory));
  if (!present) return {};
  GOPLINE_ASSIGN(bool foreign, has_foreign_files(options));
  if (!foreign) return {};
  return fail(ErrorCode::kInvalidArgument,
              "{}: not a gopline log, and not empty: name a folder that is empty or does not exist yet",
              options.directory);
}

}  // namespace

Result<sqlite::Database> connect_catalogue(const EmbeddedLogOptions& options) {
  auto database = connect(options, false);
  if (!options.read_only) return database;
  if (database) {
    auto readable = database->integer("SELECT count(*) FROM sqlite_schema");
    if (readable || readable.error().code == ErrorCode::kCorrupt) return database;
  }
  return connect_immutable(options);
}

Result<sqlite::Database> open_catalogue(const EmbeddedLogOptions& options) {
  if (options.directory.empty())
    return fail(ErrorCode::kInvalidArgument, "the embedded log needs a directory");
  auto path = catalogue_path(options.directory);
  GOPLINE_ASSIGN(bool present, options.file_system->exists(path));
  sqlite::Database database;
  if (present) {
    GOPLINE_ASSIGN(database, connect_catalogue(options));
    // A crash between creating the file and writing the schema leaves a catalogue without one.
    GOPLINE_ASSIGN(auto tables, database.integer("SELECT count(*) FROM sqlite_schema"));
    present = tables > 0;
  } else {
    GOPLINE_TRY(refuse_foreign_directory(options));
  }
  if (!present) {
    if (options.read_only || !options.create_if_missing) {
      return fail(ErrorCode::kNotFound,
                  "{}: no gopline log is here; \"gopline split SOURCE --log {}\" makes one",
                  options.directory, options.directory);
    }
    GOPLINE_TRY(create_directory(options));
    GOPLINE_ASSIGN(database, connect_catalogue(options));
  }
  GOPLINE_TRY(check_version(database, path));
  return database;
}

Result<void> check_catalogue(sqlite::Database& database) {
  GOPLINE_ASSIGN(auto statement, database.prepare("PRAGMA quick_check(1)"));
  GOPLINE_ASSIGN(bool row, statement.step());
  auto verdict = row ? std::string(statement.bytes(0)) : "no answer";
  if (verdict == "ok") return {};
  return fail(
      ErrorCode::kCorrupt,
      "{}: the catalogue is damaged ({}): restore it from a copy, or rescue what is left with \"sqlite3 "
      "catalogue.db .recover\" (the payload files beside it are untouched)",
      database.path(), verdict);
}

}  // namespace gopline::embedded
