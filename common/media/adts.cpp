#include "common/media/adts.h"

#include <optional>
#include <vector>

namespace gopline::media {
namespace {

constexpr std::size_t kHeaderBytes = 7;
constexpr std::size_t kLargestFrame = (1 << 13) - 1;
constexpr unsigned kFrequencies = 13;  // entries of the table; 15 would mean an explicit one

struct Config {
  unsigned object_type = 0, frequency = 0, channels = 0;
};

// AudioSpecificConfig begins: 5 bits object type, 4 bits frequency index, 4 bits channel configuration.
std::optional<Config> parse(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 2) return std::nullopt;
  unsigned bits = static_cast<unsigned>(bytes[0] << 8 | bytes[1]);
  Config config{bits >> 11, bits >> 7 & 15, bits >> 3 & 15};
  bool fits = config.object_type >= 1 && config.object_type <= 4 && config.frequency < kFrequencies &&
              config.channels >= 1 && config.channels <= 7;
  return fits ? std::optional(config) : std::nullopt;
}

}  // namespace

bool fits_adts(std::span<const std::uint8_t> audio_specific_config) {
  return parse(audio_specific_config).has_value();
}

Result<Buffer> add_adts_header(const Buffer& access_unit,
                               std::span<const std::uint8_t> audio_specific_config) {
  auto config = parse(audio_specific_config);
  if (!config) return fail(ErrorCode::kUnsupported, "ADTS cannot describe this AAC");
  auto length = access_unit.size() + kHeaderBytes;
  if (length > kLargestFrame)
    return fail(ErrorCode::kTooLarge, "an AAC access unit of {} bytes is too long for ADTS", length);
  std::vector<std::uint8_t> out;
  out.reserve(length);
  constexpr unsigned kFullness = 0x7FF;  // variable bit rate
  auto put = [&](std::size_t byte) { out.push_back(static_cast<std::uint8_t>(byte)); };
  put(0xFF);
  put(0xF1);  // MPEG-4, layer 0, no CRC
  put((config->object_type - 1) << 6 | config->frequency << 2 | config->channels >> 2);
  put((config->channels & 3) << 6 | length >> 11);
  put(length >> 3);
  put((length & 7) << 5 | kFullness >> 6);
  put((kFullness & 63) << 2);  // one raw data block
  out.insert(out.end(), access_unit.bytes().begin(), access_unit.bytes().end());
  return Buffer::take(std::move(out));
}

}  // namespace gopline::media
