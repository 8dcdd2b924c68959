#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "common/log/embedded/embedded_log.h"

namespace gopline::embedded {

// A payload file that this session is writing: values one after the other, nothing else.
struct PayloadFile {
  std::string name;
  std::int64_t topic = 0;
  std::unique_ptr<File> file;
  // The committing thread's:
  std::int64_t row = 0;  // in the table of files; 0 before the first record is committed
  bool name_synced = false;
  // Set when the file can no longer be trusted to hold what is written to it (a failed sync): the writer
  // takes a new one.
  std::atomic<bool> abandoned = false;
};

struct WrittenValue {
  std::shared_ptr<PayloadFile> file;
  std::uint64_t position = 0;
};

// Puts values into payload files, one open file for each topic, rolled when it is full. What write() has
// returned is not durable yet. One thread's.
class PayloadWriter {
 public:
  PayloadWriter(const EmbeddedLogOptions& options, std::string session)
      : files_(options.file_system),
        directory_(options.directory),
        roll_at_(options.payload_file_bytes),
        session_(std::move(session)) {}

  Result<WrittenValue> write(std::int64_t topic, const BufferChain& value);
  // Lets go of all files.
  void close() { open_.clear(); }

 private:
  struct OpenFile {
    std::shared_ptr<PayloadFile> file;
    std::uint64_t end = 0;
  };
  Result<OpenFile*> file_for(std::int64_t topic, std::size_t bytes);

  std::shared_ptr<FileSystem> files_;
  const std::string directory_;
  const std::uint64_t roll_at_;
  const std::string session_;
  std::map<std::int64_t, OpenFile> open_;
  std::uint64_t count_ = 0;
};

}  // namespace gopline::embedded
