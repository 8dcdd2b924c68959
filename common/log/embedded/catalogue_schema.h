#pragma once
#include "common/log/embedded/embedded_log.h"
#include "common/log/embedded/sqlite.h"

namespace gopline::embedded {

// A connection to the directory's catalogue, set up as every connection has to be. Does not create it.
Result<sqlite::Database> connect_catalogue(const EmbeddedLogOptions& options);

// The first connection: makes sure that the directory is a log that this version understands, and creates it
// if wanted.
Result<sqlite::Database> open_catalogue(const EmbeddedLogOptions& options);

// SQLite's own check of the whole file: for after a crash. Takes about a second per gigabyte.
Result<void> check_catalogue(sqlite::Database& database);

}  // namespace gopline::embedded
