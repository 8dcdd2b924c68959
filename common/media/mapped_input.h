#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/bytes/buffer.h"
#include "common/media/av.h"

namespace gopline::media {

// A regular file for libavformat, whose packets need not be copied: libavformat reads headers and indexes
// through io(), and where its demuxer only wants to fill a packet, the bytes are left unread and taken from
// the mapped file instead (docs/decisions/mapped-files.md).
//
// The file is mapped in windows of a megabyte, one after the other for each track, which live as long as the
// packets in them. A file that is cut off meanwhile is noticed: was_cut_off(), common/base/bus_errors.h. Not
// thread-safe but for the packets. Included by .cpp files of this room only.
class MappedInput {
 public:
  // nullptr: not an MP4 in a regular file, or it cannot be opened; libavformat says better what is wrong.
  static std::unique_ptr<MappedInput> open(const std::string& path);
  ~MappedInput();
  MappedInput(const MappedInput&) = delete;
  MappedInput& operator=(const MappedInput&) = delete;

  AVIOContext* io() const { return io_.get(); }

  // From now on what libavformat reads into memory other than its buffer is left as it was. Only for a
  // demuxer that reads nothing but whole packets, which nobody looks at.
  void leave_packets_unread(bool on);
  bool leaves_packets_unread() const { return leaves_unread_; }

  // The bytes of the packet that libavformat has just given. kCorrupt where the file does not have them any
  // more; kInternal where something else than this packet was left unread.
  Result<Buffer> packet(int stream, std::int64_t position, std::size_t size);

  // Some page of a packet was gone when it was read.
  bool was_cut_off() const { return *damaged_; }

 private:
  class Window;
  MappedInput(int fd, std::int64_t size);
  static int read(void* opaque, std::uint8_t* buffer, int size);
  static std::int64_t seek(void* opaque, std::int64_t offset, int whence);
  Result<void> is_unread_in(std::int64_t begin, std::int64_t end);
  std::int64_t size_now() const;
  Result<Buffer> copied(std::int64_t position, std::size_t size) const;

  int fd_;
  std::int64_t size_;  // when it was opened
  std::int64_t position_ = 0;
  bool leaves_unread_ = false;
  std::int64_t unread_begin_ = 0, unread_end_ = 0;  // since the last packet
  bool unread_in_pieces_ = false;                   // more than one range
  std::shared_ptr<std::atomic<bool>> damaged_ = std::make_shared<std::atomic<bool>>(false);
  std::map<int, std::shared_ptr<const Window>> windows_;  // the newest of each stream
  AvIoContextPtr io_;
};

}  // namespace gopline::media
