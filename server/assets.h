#pragma once
#include <span>
#include <string_view>

namespace gopline::server {

// A file of web/ as it was built into the program.
struct Asset {
  std::string_view path;  // "vendor/hls.mjs"
  std::string_view content_type;
  std::string_view digest;  // of its bytes, for its ETag
  std::string_view bytes;
};

// All of them; made by web/CMakeLists.txt.
std::span<const Asset> assets();

}  // namespace gopline::server
