#include <cstdlib>
#include <string_view>

#include "common/payload/s3/s3_xml.h"

// What a server that claims to speak S3 may answer: whatever it says, pages have no nameless entries and no
// end that is none, and texts for people are short and plain.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gopline::payload;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto error = parse_error(text)) {
    for (const auto& words : {error->code, error->message, error->region}) {
      if (words.size() > 300) std::abort();
      for (char c : words) {
        if (static_cast<unsigned char>(c) < ' ') std::abort();
      }
    }
  }
  if (auto page = parse_object_page(text)) {
    for (const auto& object : page->objects) {
      if (object.key.empty()) std::abort();
    }
  }
  if (auto page = parse_upload_page(text)) {
    if (page->more && page->next_key.empty()) std::abort();
    for (const auto& upload : page->uploads) {
      if (upload.key.empty() || upload.id.empty()) std::abort();
    }
  }
  if (auto id = parse_upload_id(text); id && id->empty()) std::abort();
  if (auto copy = parse_copy_result(text)) {
    auto again = complete_upload_xml({copy->etag});
    if (again.find("<ETag") == std::string::npos) std::abort();
  }
  return 0;
}
