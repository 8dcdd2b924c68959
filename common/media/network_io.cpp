#include "common/media/network_io.h"

#include <vector>

#include "common/media/transport_stream.h"

namespace gopline::media {
namespace {

constexpr std::size_t kDatagramBytes = 7 * kTsPacketBytes;  // what fits into an Ethernet frame
constexpr std::size_t kStreamBytes = 64 << 10;

}  // namespace

tl::unexpected<Error> NetworkPatience::failure(int code, const std::string& name) const {
  if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", name);
  if (overdue_) {
    return fail(ErrorCode::kUnavailable, "{}: takes nothing for {:g} s", name,
                std::chrono::duration<double>(patience_).count());
  }
  if (auto refused = refusal_of(code)) return fail(refused->code, "{}: {}", name, refused->message);
  // What libavformat says when libsrt or its own RTSP client does not get through, whatever the reason.
  if (code == AVERROR(EIO) || code == AVERROR_INVALIDDATA)
    return fail(ErrorCode::kUnavailable, "{}: does not answer, or has closed the connection", name);
  return fail_av(code, name);
}

Result<void> NetworkIo::open(const std::string& url, const std::string& name, bool transport_stream,
                             AvDictionary& options) {
  transport_stream_ = transport_stream;
  auto interrupt = patience_.callback();
  patience_.begin_call();
  int code = avio_open2(&network_, url.c_str(), AVIO_FLAG_WRITE, &interrupt, &options.entries);
  if (code < 0) return patience_.failure(code, name);
  auto size = transport_stream ? kDatagramBytes : kStreamBytes;
  auto* memory = static_cast<std::uint8_t*>(av_malloc(size));
  if (!memory) return fail(ErrorCode::kInternal, "out of memory");
  buffer_.reset(
      avio_alloc_context(memory, static_cast<int>(size), 1, this, nullptr, &NetworkIo::write, nullptr));
  if (!buffer_) {
    av_free(memory);
    return fail(ErrorCode::kInternal, "out of memory");
  }
  buffer_->seekable = 0;
  buffer_->max_packet_size = transport_stream ? static_cast<int>(size) : 0;
  return {};
}

int NetworkIo::write(void* self, Bytes bytes, int size) {
  return static_cast<NetworkIo*>(self)->put({bytes, static_cast<std::size_t>(size)});
}

int NetworkIo::put(std::span<const std::uint8_t> bytes) {
  auto size = static_cast<int>(bytes.size());
  if (silent_) return size;
  if (error_ != 0) return error_;
  std::vector<std::uint8_t> marked;
  if (marks_) {
    marked.assign(bytes.begin(), bytes.end());
    marks_ = !media::mark_discontinuity(marked);
    bytes = marked;
  }
  patience_.begin_call();
  avio_write(network_, bytes.data(), size);
  avio_flush(network_);
  if (network_->error < 0) return error_ = network_->error;
  bytes_ += bytes.size();
  return size;
}

}  // namespace gopline::media
