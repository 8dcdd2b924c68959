#include "cli/packet_compare.h"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "common/bytes/digest.h"
#include "common/media/demuxer.h"

namespace gopline::cli {
namespace {

// The payload hashes of a file's packets, per track.
struct PacketHashes {
  std::vector<std::vector<std::string>> tracks;
  std::uint64_t bytes = 0;
};

Result<PacketHashes> hash_packets(const std::string& path) {
  GOPLINE_ASSIGN(auto demuxer, media::Demuxer::open({path, false, {}, {}}));
  PacketHashes hashes;
  hashes.tracks.resize(demuxer->tracks().size());
  for (;;) {
    GOPLINE_ASSIGN(auto packet, demuxer->read());
    if (!packet) return hashes;
    hashes.tracks[static_cast<std::size_t>(packet->track)].push_back(xxh3_hex(packet->data.bytes()));
    hashes.bytes += packet->data.size();
  }
}

}  // namespace

Result<PacketComparison> compare_packets(const std::string& first, const std::string& second) {
  GOPLINE_ASSIGN(auto a, hash_packets(first));
  GOPLINE_ASSIGN(auto b, hash_packets(second));
  PacketComparison comparison;
  comparison.bytes = a.bytes;
  for (const auto& track : a.tracks) comparison.packets += static_cast<std::int64_t>(track.size());
  if (a.tracks.size() != b.tracks.size()) {
    comparison.difference = fmt::format("{} tracks against {}", a.tracks.size(), b.tracks.size());
    return comparison;
  }
  for (std::size_t track = 0; track < a.tracks.size(); ++track) {
    const auto &left = a.tracks[track], &right = b.tracks[track];
    if (left.size() != right.size()) {
      comparison.difference =
          fmt::format("track {}: {} packets against {}", track + 1, left.size(), right.size());
      return comparison;
    }
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (left[i] == right[i]) continue;
      comparison.difference = fmt::format("track {}: packet {} differs", track + 1, i);
      return comparison;
    }
  }
  return comparison;
}

Result<bool> same_text(const std::string& first, const std::string& second) {
  std::string texts[2];
  for (int i = 0; i < 2; ++i) {
    std::ifstream file(i == 0 ? first : second, std::ios::binary);
    texts[i].assign(std::istreambuf_iterator<char>(file), {});
    if (!file) return fail(ErrorCode::kIo, "{}: cannot be read", i == 0 ? first : second);
  }
  return texts[0] == texts[1];
}

}  // namespace gopline::cli
