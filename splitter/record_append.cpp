#include "splitter/record_append.h"

namespace gopline::splitter {

NewRecord new_record(record::Encoded encoded, const Clock& clock) {
  return {std::move(encoded.key), BufferChain(std::move(encoded.value)), std::move(encoded.headers),
          clock.now()};
}

Result<Offset> append_and_wait(LogWriter& writer, const TopicPartition& where, record::Encoded encoded,
                               const Clock& clock) {
  return writer.append_and_wait(where, new_record(std::move(encoded), clock));
}

std::size_t record_overhead(std::string_view key, const Headers& headers) {
  constexpr std::size_t kFrame = 256, kPerHeader = 16;
  auto bytes = kFrame + key.size();
  for (const auto& header : headers) bytes += header.name.size() + header.value.size() + kPerHeader;
  return bytes;
}

}  // namespace gopline::splitter
