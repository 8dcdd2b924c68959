#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace gopline::media {

// How many bytes a file must have by its own first bytes: the outermost element of RIFF (AVI, WAV: chunk
// size, "Multimedia Programming Interface and Data Specifications 1.0") and of EBML (Matroska, WebM: RFC
// 8794, section 4, and RFC 9559). At least 64 bytes of the file should be given. nullopt: another format, or
// one that was written without knowing its end.
std::optional<std::uint64_t> declared_size(std::span<const std::uint8_t> head);

}  // namespace gopline::media
