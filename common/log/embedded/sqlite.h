#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "common/base/result.h"

// SQLite in the house's manner: handles that own, errors that are Results and name the file.
namespace gopline::sqlite {

// Bytes, as opposed to text.
struct Blob {
  std::string_view bytes;
};

// A prepared statement. Bind, step until false, reset. Belongs to its Database's thread.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3_stmt* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  // Binds all parameters, from the first. Blobs and text must stay as they are until reset().
  template <typename... Values>
  Statement& bind(const Values&... values) {
    int at = 0;
    (bind_one(++at, values), ...);
    return *this;
  }
  // True: there is a row. False: done.
  Result<bool> step();
  // Steps to the end, ignoring rows, and resets.
  Result<void> run();
  void reset() { sqlite3_reset(handle_.get()); }

  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  bool is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  std::optional<std::int64_t> optional_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
  }
  // Valid until the next step() or reset().
  std::string_view bytes(int column) const;

 private:
  void bind_one(int at, std::int64_t value) { sqlite3_bind_int64(handle_.get(), at, value); }
  void bind_one(int at, std::nullopt_t) { sqlite3_bind_null(handle_.get(), at); }
  void bind_one(int at, const std::optional<std::int64_t>& value) {
    value ? bind_one(at, *value) : bind_one(at, std::nullopt);
  }
  void bind_one(int at, std::string_view text);
  void bind_one(int at, const std::string& text) { bind_one(at, std::string_view(text)); }
  void bind_one(int at, Blob blob);
  void bind_one(int at, const std::optional<Blob>& blob) {
    blob ? bind_one(at, *blob) : bind_one(at, std::nullopt);
  }

  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  std::string path_;
};

// Resets a statement at the end of the scope, so that no read stays open.
class Resetting {
 public:
  explicit Resetting(Statement& statement) : statement_(statement) {}
  ~Resetting() { statement_.reset(); }
  Resetting(const Resetting&) = delete;
  Resetting& operator=(const Resetting&) = delete;

 private:
  Statement& statement_;
};

struct OpenOptions {
  bool read_only = false;
  bool create = false;
  std::string vfs;  // empty: SQLite's own
  // How long to wait for another process's write transaction.
  std::chrono::milliseconds busy_timeout{30'000};
};

// One connection. Not thread-safe: one user at a time.
class Database {
 public:
  Database() = default;
  static Result<Database> open(const std::string& path, const OpenOptions& options);

  Result<void> execute(const char* statements);
  Result<Statement> prepare(std::string_view sql);
  // The integer that a statement of one row and column gives.
  Result<std::int64_t> integer(std::string_view sql);
  sqlite3* handle() const { return handle_.get(); }
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::unique_ptr<std::chrono::milliseconds> busy_timeout_;  // at a fixed address: the busy handler reads it
  std::string path_;
};

// A write transaction; rolled back unless committed. Takes the process's turn first, so that threads of one
// process queue in the operating system instead of in SQLite's busy handler.
class WriteTransaction {
 public:
  static Result<WriteTransaction> begin(Database& database, std::mutex& turn);
  WriteTransaction(WriteTransaction&& other) noexcept
      : turn_(std::move(other.turn_)), database_(std::exchange(other.database_, nullptr)) {}
  WriteTransaction& operator=(WriteTransaction&&) = delete;
  ~WriteTransaction();
  // Durable when it returns.
  Result<void> commit();

 private:
  WriteTransaction(std::unique_lock<std::mutex> turn, Database& database)
      : turn_(std::move(turn)), database_(&database) {}
  std::unique_lock<std::mutex> turn_;
  Database* database_;
};

// SQLite's result code as an Error that says what to do.
tl::unexpected<Error> fail_sqlite(sqlite3* handle, int code, const std::string& path);

}  // namespace gopline::sqlite
