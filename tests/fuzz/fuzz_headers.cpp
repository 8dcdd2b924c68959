// The header parsers on arbitrary lists; what they accept is written again the same.
#include <cstdlib>

#include "common/record/hour_columns.h"
#include "common/record/markers.h"
#include "common/record/segment_headers.h"

using namespace gopline;

namespace {

// Lines "name: value", as the golden files have them, then an empty line and the value.
struct Input {
  Headers headers;
  Buffer value;
};

Input split(std::string_view text) {
  Input input;
  while (!text.empty()) {
    auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) break;
    auto colon = line.find(": ");
    if (colon == std::string_view::npos || line.front() == '@') continue;
    input.headers.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
  }
  input.value = Buffer::copy(text);
  return input;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto [headers, value] = split({reinterpret_cast<const char*>(data), size});
  if (auto parsed = record::parse_segment_headers(headers)) {
    auto again = record::parse_segment_headers(record::encode(*parsed));
    if (!again || record::encode(*again) != record::encode(*parsed)) std::abort();
  }
  (void)record::parse_epoch_started(headers, value);
  (void)record::parse_epoch_ended(headers, value);
  (void)record::parse_gap(headers, value);
  (void)record::parse_index_entry(headers, value);
  (void)record::parse_index_hour(headers, value);
  (void)record::parse_stream_state(headers, value);
  if (auto hour = record::HourColumns::parse(headers, value)) {
    for (std::size_t i = 0; i < hour->size(); ++i) (void)(hour->row(i) && hour->entry(i));
  }
  return 0;
}
