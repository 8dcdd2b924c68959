#pragma once
#include <cstdint>
#include <string>

#include "common/bytes/buffer.h"
#include "common/media/frames/picture.h"

// Files of pictures for tests of any room.
namespace gopline::media {

// A ramp from left to right, brighter from above to below.
Picture test_picture(int width, int height);

// "png" or "tiff", grey.
Buffer test_still(const std::string& codec, int width, int height);

// The JPEG with EXIF data: when it was taken ("2026:11:22 18:30:00"), and how it is to be turned.
Buffer with_exif(const Buffer& jpeg, const std::string& taken, std::uint16_t orientation);

}  // namespace gopline::media
