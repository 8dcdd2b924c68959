#pragma once
#include <cstdint>
#include <span>

// Whether files of pictures are there up to their end, by their structure alone: a decoder makes up what is
// cut off, and says nothing. What is behind the end does not matter.
namespace gopline::media {

// Markers and scans up to EOI (ITU-T T.81, annex B). The file begins as a JPEG does.
bool is_whole_jpeg(std::span<const std::uint8_t> file);

// Chunks of length, type, data and checksum, the last one IEND (ISO/IEC 15948, 5.3). It begins as a PNG does.
bool is_whole_png(std::span<const std::uint8_t> file);

// All strips or tiles of the first picture (TIFF 6.0). It begins as a TIFF does.
bool is_whole_tiff(std::span<const std::uint8_t> file);

}  // namespace gopline::media
