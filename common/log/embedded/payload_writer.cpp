#include "common/log/embedded/payload_writer.h"

#include "common/log/embedded/layout.h"

namespace gopline::embedded {
namespace {

// Large values begin at a block of their own, so that writing one never touches a block that an acknowledged
// one lies in, and its space can be given back alone.
constexpr std::uint64_t kBlock = 4096;
constexpr std::size_t kLarge = 64 << 10;
// The device begins to write while the next value is being copied; see
// docs/decisions/embedded-log-writing.md.
constexpr std::size_t kWritebackAtOnce = 256 << 10;

}  // namespace

Result<PayloadWriter::OpenFile*> PayloadWriter::file_for(std::int64_t topic, std::size_t bytes) {
  auto found = open_.find(topic);
  if (found != open_.end()) {
    const auto& open = found->second;
    bool fits = open.end == 0 || open.end + bytes <= roll_at_;
    if (fits && !open.file->abandoned) return &found->second;
    open_.erase(found);
  }
  auto file = std::make_shared<PayloadFile>();
  file->name = fmt::format("{}-{}-{:06}.values", topic, session_, ++count_);
  file->topic = topic;
  GOPLINE_ASSIGN(file->file,
                 files_->open(payload_path(directory_, file->name), FileSystem::Open::kCreateNew));
  auto& open = open_[topic];
  open.file = std::move(file);
  return &open;
}

Result<WrittenValue> PayloadWriter::write(std::int64_t topic, const BufferChain& value) {
  GOPLINE_ASSIGN(auto* open, file_for(topic, value.size()));
  auto position = open->end;
  if (value.size() >= kLarge) position = (position + kBlock - 1) / kBlock * kBlock;
  auto& file = *open->file->file;
  if (auto written = file.write_at(value, position); !written) {
    // What got through is nobody's; the next value takes its place.
    (void)file.truncate(open->end);
    return tl::unexpected<Error>(written.error());
  }
  if (value.size() >= kWritebackAtOnce) file.start_writeback(position, value.size());
  open->end = position + value.size();
  return WrittenValue{open->file, position};
}

}  // namespace gopline::embedded
