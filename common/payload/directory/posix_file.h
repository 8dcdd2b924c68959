#pragma once
#include <cstdint>
#include <filesystem>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/bytes/buffer_chain.h"

namespace gopline::payload {

// A file descriptor and its owner.
class PosixFile {
 public:
  // `flags` as open(2) takes them; a file that is made is readable by all and writable by its owner.
  static Result<PosixFile> open(const std::filesystem::path& path, int flags);
  ~PosixFile();
  PosixFile(PosixFile&& other) noexcept;
  PosixFile& operator=(PosixFile&&) = delete;

  // kCorrupt where the file ends before the range does.
  Result<Buffer> read(std::uint64_t offset, std::uint64_t size) const;
  Result<void> write(const BufferChain& bytes, const StopToken& stop);
  Result<void> sync();

 private:
  explicit PosixFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// A new file with these bytes, durable on return; its name is so only after sync_folder().
Result<void> write_file(const std::filesystem::path& path, const BufferChain& bytes, const StopToken& stop);

// The names in the folder survive a power cut.
Result<void> sync_folder(const std::filesystem::path& folder);

}  // namespace gopline::payload
