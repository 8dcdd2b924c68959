#pragma once
// libavformat's I/O towards a receiver in the network. For .cpp files of this room only.
#include <optional>
#include <span>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/media/av.h"

namespace gopline::media {

// Ends libav's blocking calls: when somebody asks to stop, and when one has taken too long.
class NetworkPatience {
 public:
  NetworkPatience(Duration patience, StopToken stop) : patience_(patience), stop_(std::move(stop)) {}

  void begin_call() {
    deadline_ = std::chrono::steady_clock::now() + patience_;
    overdue_ = false;
  }
  AVIOInterruptCB callback() { return {&NetworkPatience::ask, this}; }

  // What a failed call says, in the receiver's words where it has any.
  tl::unexpected<Error> failure(int code, const std::string& name) const;

 private:
  static int ask(void* opaque) {
    auto& self = *static_cast<NetworkPatience*>(opaque);
    if (std::chrono::steady_clock::now() >= self.deadline_) self.overdue_ = true;
    return self.overdue_ || self.stop_.stop_requested() ? 1 : 0;
  }

  Duration patience_;
  StopToken stop_;
  SteadyTime deadline_{};
  bool overdue_ = false;
};

// A protocol of libavformat's behind a buffer that leaves in pieces of whole TS packets, as a datagram should
// have them (RFC 2250, section 2).
class NetworkIo {
 public:
  explicit NetworkIo(NetworkPatience& patience) : patience_(patience) {}
  NetworkIo(const NetworkIo&) = delete;
  NetworkIo& operator=(const NetworkIo&) = delete;
  ~NetworkIo() { avio_closep(&network_); }

  // Takes the options that are the protocol's; leaves the others.
  Result<void> open(const std::string& url, const std::string& name, bool transport_stream,
                    AvDictionary& options);

  AVIOContext* context() { return buffer_.get(); }
  void mark_discontinuity() { marks_ = transport_stream_; }  // of the next PCR
  void be_silent() { silent_ = true; }                       // what is written goes nowhere, until be_heard()
  void be_heard() { silent_ = false; }
  void flush() {
    if (network_) avio_flush(network_);
  }
  void close() { avio_closep(&network_); }
  int error() const { return error_; }  // 0: none
  std::uint64_t bytes_written() const { return bytes_; }

 private:
#if LIBAVFORMAT_VERSION_MAJOR >= 61
  using Bytes = const std::uint8_t*;
#else
  using Bytes = std::uint8_t*;
#endif
  static int write(void* self, Bytes bytes, int size);
  int put(std::span<const std::uint8_t> bytes);

  NetworkPatience& patience_;
  AVIOContext* network_ = nullptr;
  AvIoContextPtr buffer_;
  bool transport_stream_ = false;
  bool marks_ = false;
  bool silent_ = false;
  int error_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace gopline::media
