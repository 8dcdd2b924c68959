#pragma once
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace gopline::media {

// Whether FFmpeg will take it for a URL: scheme://...
bool is_url(std::string_view text);

// What can be said of a local path before FFmpeg is asked, in better words than FFmpeg's.
Result<void> check_local_file(const std::string& path);

}  // namespace gopline::media
