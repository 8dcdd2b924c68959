#include "common/log/embedded/sqlite.h"

#include <cerrno>
#include <chrono>
#include <thread>

namespace gopline::sqlite {
namespace {

// Called by SQLite when another process is writing. Its transactions last about as long as one sync.
int wait_for_writer(void* timeout, int attempt) {
  using namespace std::chrono_literals;
  constexpr auto kShort = 250us;
  constexpr auto kLong = 5ms;
  constexpr int kShortAttempts = 200;
  constexpr auto kShortTotal = kShort * kShortAttempts;
  auto waited =
      attempt < kShortAttempts ? kShort * attempt : kShortTotal + kLong * (attempt - kShortAttempts);
  if (waited > *static_cast<const std::chrono::milliseconds*>(timeout)) return 0;
  std::this_thread::sleep_for(attempt < kShortAttempts ? kShort : kLong);
  return 1;
}

ErrorCode code_of(sqlite3* handle, int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::kOutOfSpace;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::kPermissionDenied;
    case SQLITE_IOERR: {
      auto reason = handle ? sqlite3_system_errno(handle) : 0;
      return reason == ENOSPC || reason == EDQUOT ? ErrorCode::kOutOfSpace : ErrorCode::kIo;
    }
    case SQLITE_CANTOPEN:
      return handle && sqlite3_system_errno(handle) == EACCES ? ErrorCode::kPermissionDenied : ErrorCode::kIo;
    default:
      return ErrorCode::kInternal;
  }
}

std::string_view advice(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCorrupt:
      return "; the catalogue is damaged: restore it from a copy, or rescue what is left with \"sqlite3 "
             "catalogue.db "
             ".recover\" (the payload files beside it are untouched)";
    case ErrorCode::kOutOfSpace:
      return "; free space on this disk, or shorten the retention";
    case ErrorCode::kUnavailable:
      return "; another process holds the log's catalogue: end it or try again";
    default:
      return "";
  }
}

}  // namespace

tl::unexpected<Error> fail_sqlite(sqlite3* handle, int code, const std::string& path) {
  auto kind = code_of(handle, code);
  auto text = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  return fail(kind, "{}: {}{}", path, text, advice(kind));
}

Result<bool> Statement::step() {
  auto code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto error = fail_sqlite(sqlite3_db_handle(handle_.get()), code, path_);
  sqlite3_reset(handle_.get());
  return error;
}

Result<void> Statement::run() {
  while (true) {
    GOPLINE_ASSIGN(bool row, step());
    if (!row) break;
  }
  reset();
  return {};
}

std::string_view Statement::bytes(int column) const {
  auto* data = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return data ? std::string_view(data, size) : std::string_view();
}

void Statement::bind_one(int at, std::string_view text) {
  sqlite3_bind_text64(handle_.get(), at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_one(int at, Blob blob) {
  // A null pointer would bind NULL, which is not an empty blob.
  sqlite3_bind_blob64(handle_.get(), at, blob.bytes.empty() ? "" : blob.bytes.data(), blob.bytes.size(),
                      SQLITE_STATIC);
}

Result<Database> Database::open(const std::string& path, const OpenOptions& options) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  flags |= options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  auto code =
      sqlite3_open_v2(path.c_str(), &handle, flags, options.vfs.empty() ? nullptr : options.vfs.c_str());
  Database database;
  database.handle_.reset(handle);
  database.path_ = path;
  if (code != SQLITE_OK) return fail_sqlite(handle, code, path);
  database.busy_timeout_ = std::make_unique<std::chrono::milliseconds>(options.busy_timeout);
  sqlite3_busy_handler(handle, wait_for_writer, database.busy_timeout_.get());
  sqlite3_extended_result_codes(handle, 1);
  return database;
}

Result<void> Database::execute(const char* statements) {
  auto code = sqlite3_exec(handle_.get(), statements, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail_sqlite(handle_.get(), code, path_);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  auto code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                 SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fail_sqlite(handle_.get(), code, path_);
  return Statement(statement, path_);
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  GOPLINE_ASSIGN(auto statement, prepare(sql));
  GOPLINE_ASSIGN(bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

Result<WriteTransaction> WriteTransaction::begin(Database& database, std::mutex& turn) {
  std::unique_lock lock(turn);
  GOPLINE_TRY(database.execute("BEGIN IMMEDIATE"));
  return WriteTransaction(std::move(lock), database);
}

WriteTransaction::~WriteTransaction() {
  // What failed a statement may have rolled back already; then there is nothing to do.
  if (database_ && !sqlite3_get_autocommit(database_->handle())) {
    sqlite3_exec(database_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Result<void> WriteTransaction::commit() {
  GOPLINE_TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  turn_.unlock();
  return {};
}

}  // namespace gopline::sqlite
