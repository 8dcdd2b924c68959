#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/bytes/buffer_chain.h"

// The embedded log's way to the disk. Everything it does to files goes through here (the catalogue's own by
// sqlite_vfs()), so that tests can put a layer below it that fails, tears writes, or forgets what was not
// synced.
namespace gopline {

// One open file. Positions are given, never kept, so any thread may read while another writes; but one thread
// at a time writes. Errors name the file.
class File {
 public:
  virtual ~File() = default;

  // Writes the chain's bytes from `position`, growing the file.
  virtual Result<void> write_at(const BufferChain& bytes, std::uint64_t position) = 0;
  // How many bytes were read: fewer than asked for only at the end of the file.
  virtual Result<std::size_t> read_at(std::span<std::uint8_t> bytes, std::uint64_t position) = 0;
  // Returns when what was written, and the size, survive a power cut.
  virtual Result<void> sync() = 0;
  // Has the device begin writing these bytes, so that sync() finds less to do. A hint.
  virtual void start_writeback(std::uint64_t position, std::uint64_t count) = 0;
  virtual Result<std::uint64_t> size() = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  // Gives the disk space of these bytes back; they read as zeros. A hint where the file system cannot.
  virtual void punch_hole(std::uint64_t position, std::uint64_t count) = 0;
  // Takes the file's lock, which ends with this object or the process, however it ends. False when somebody
  // else has it, or the file is no longer in its directory.
  virtual Result<bool> try_lock() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  enum class Open { kRead, kReadWrite, kCreateNew, kCreate };
  virtual Result<std::unique_ptr<File>> open(const std::string& path, Open mode) = 0;
  virtual Result<void> remove(const std::string& path) = 0;  // a missing file is no error
  virtual Result<bool> exists(const std::string& path) = 0;
  // The names in a directory, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  virtual Result<void> create_directories(const std::string& path) = 0;
  // Returns when the names in the directory survive a power cut.
  virtual Result<void> sync_directory(const std::string& path) = 0;
  // The SQLite VFS that goes with this; empty for SQLite's own.
  virtual std::string sqlite_vfs() const { return {}; }
};

std::shared_ptr<FileSystem> make_posix_file_system();

}  // namespace gopline
