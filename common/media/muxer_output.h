#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "common/base/result.h"
#include "common/bytes/buffer_chain.h"

namespace gopline::media {

// Where finished bytes go: a file, standard output, or a function. A file is written as PATH.part beside its
// place and takes its name only in commit(), so that nobody ever sees half of it and an existing file stays
// until it is replaced; what is there already and is no plain file (a pipe, a device) is written directly.
// Not thread-safe.
class OutputTarget {
 public:
  enum class Care {
    kPlain,
    // The file is there after a power cut once commit() has returned: bytes, then name. What is written goes
    // on its way to the disk meanwhile, so that little is left to wait for. PATH.part is locked (flock) while
    // it is written, and what a dead program left in its place makes room.
    kDurable,
  };

  // `path` or "-". Errors name the path and what to do.
  static Result<std::unique_ptr<OutputTarget>> open(const std::string& path, Care care = Care::kPlain);
  // Bytes go to `write`, in order; it returns false to stop.
  static std::unique_ptr<OutputTarget> to_function(std::function<bool(std::span<const std::uint8_t>)> write);

  OutputTarget(const OutputTarget&) = delete;
  OutputTarget& operator=(const OutputTarget&) = delete;
  ~OutputTarget();  // without commit(): PATH.part is removed

  bool seekable() const { return seekable_; }
  const std::string& name() const { return name_; }                  // for messages
  const std::string& working_path() const { return working_path_; }  // where the bytes lie until commit()
  std::uint64_t bytes_written() const { return size_; }              // the file's size so far

  Result<void> write(std::span<const std::uint8_t> bytes);
  Result<void> write(const BufferChain& bytes);  // in one system call where it can
  Result<void> seek(std::uint64_t position);     // seekable() only; from the start
  std::uint64_t position() const { return position_; }

  // The bytes are complete: gives the file its name. kConflict when another program has taken PATH.part's
  // place meanwhile (kDurable only): there is no file of ours then.
  Result<void> commit();

 private:
  OutputTarget() = default;
  Result<void> open_file(bool direct);
  void advance(std::size_t count);
  void start_writing_back();
  Result<void> make_durable();
  bool owns_part() const;

  std::function<bool(std::span<const std::uint8_t>)> function_;
  std::string name_, path_, working_path_;
  int file_ = -1;
  bool owns_file_ = false;
  bool seekable_ = false;
  bool renames_ = false;
  bool durable_ = false;
  std::uint64_t written_back_ = 0;  // bytes before it are on their way to the disk
  std::uint64_t position_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace gopline::media
