#pragma once
#include <memory>
#include <optional>
#include <span>

#include "common/media/av.h"
#include "common/media/muxer_output.h"

namespace gopline::media {

// The target as libavformat's I/O. The first failure is kept: libavformat passes on a number only.
class AvIo {
 public:
  explicit AvIo(std::unique_ptr<OutputTarget> target) : target_(std::move(target)) {}

  Result<AVIOContext*> open() {
    constexpr std::size_t kBufferBytes = 1 << 20;
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(kBufferBytes));
    if (!buffer) return fail(ErrorCode::kInternal, "out of memory");
    context_.reset(avio_alloc_context(buffer, kBufferBytes, 1, this, nullptr, &AvIo::write,
                                      target_->seekable() ? &AvIo::seek : nullptr));
    if (!context_) return fail(ErrorCode::kInternal, "out of memory");
    if (!target_->seekable()) context_->seekable = 0;
    return context_.get();
  }

  Result<void> commit() {
    avio_flush(context_.get());
    GOPLINE_TRY(check());
    return target_->commit();
  }

  // What failed since the beginning.
  Result<void> check() const {
    if (failure_) return tl::unexpected<Error>(*failure_);
    return {};
  }
  OutputTarget& target() { return *target_; }
  std::uint64_t bytes_written() const { return target_->bytes_written(); }

 private:
#if LIBAVFORMAT_VERSION_MAJOR >= 61
  using Bytes = const std::uint8_t*;
#else
  using Bytes = std::uint8_t*;
#endif
  static int write(void* self, Bytes bytes, int size) {
    auto& io = *static_cast<AvIo*>(self);
    if (io.failure_) return AVERROR(EIO);
    return io.keep(io.target_->write(std::span<const std::uint8_t>(bytes, static_cast<std::size_t>(size))))
               ? size
               : AVERROR(EIO);
  }
  static std::int64_t seek(void* self, std::int64_t offset, int whence) {
    auto& target = *static_cast<AvIo*>(self)->target_;
    if (whence == AVSEEK_SIZE) return static_cast<std::int64_t>(target.bytes_written());
    if (whence == SEEK_CUR) offset += static_cast<std::int64_t>(target.position());
    if (whence == SEEK_END) offset += static_cast<std::int64_t>(target.bytes_written());
    if (offset < 0 || !static_cast<AvIo*>(self)->keep(target.seek(static_cast<std::uint64_t>(offset))))
      return AVERROR(EIO);
    return offset;
  }
  bool keep(const Result<void>& result) {
    if (!result && !failure_) failure_ = result.error();
    return result.has_value();
  }

  std::unique_ptr<OutputTarget> target_;
  AvIoContextPtr context_;
  std::optional<Error> failure_;
};

}  // namespace gopline::media
