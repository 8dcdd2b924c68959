#pragma once
#include <memory>
#include <optional>

#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/media/av.h"

namespace gopline::media {

// Standard input for libavformat, whose own pipe protocol cannot be woken while it waits for bytes: this one
// returns at once when `stop` is requested. Included by .cpp files of this room only.
class StdinInput {
 public:
  static Result<std::unique_ptr<StdinInput>> open(StopToken stop);
  ~StdinInput();
  StdinInput(const StdinInput&) = delete;
  StdinInput& operator=(const StdinInput&) = delete;

  AVIOContext* io() const { return io_.get(); }

 private:
  explicit StdinInput(StopToken stop) : stop_(std::move(stop)) {}
  static int read(void* opaque, std::uint8_t* buffer, int size);
  void wake() const;

  StopToken stop_;
  int wake_fd_ = -1;
  AvIoContextPtr io_;
  struct Wake {
    const StdinInput* input;
    void operator()() const { input->wake(); }
  };
  std::optional<std::stop_callback<Wake>> on_stop_;
};

}  // namespace gopline::media
