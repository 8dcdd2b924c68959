#pragma once
#include "common/log/embedded/embedded_log.h"
#include "common/log/embedded/sqlite.h"

namespace gopline::embedded {

// A connection to the directory's catalogue, set up as every connection has to be. Does not create it.
Result<sqlite::Database> connect_catalogue(const EmbeddedLogOptions& options);

// Makes sure that the directory is a log that this version understands: creates it if wanted, checks the
// schema's version.
Result<void> prepare_directory(const EmbeddedLogOptions& options);

// SQLite's own check of the whole file: for after a crash. Takes about a second per gigabyte.
Result<void> check_catalogue(sqlite::Database& database);

}  // namespace gopline::embedded
