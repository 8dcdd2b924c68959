#pragma once
#include <cstdint>
#include <string>
#include <vector>

// Multivariant playlists (RFC 8216bis, 4.4.6): a player takes the first of what it can decode.
namespace gopline::server {

struct Variant {
  std::string uri;                  // of its media playlist, relative to this one
  std::int64_t bandwidth = 0;       // bits a second, of its segment that has most
  std::vector<std::string> codecs;  // RFC 6381, each once
  int width = 0, height = 0;        // 0: there are no pictures

  void need_bandwidth(std::int64_t bits);
  void need_codecs(const std::vector<std::string>& more);
};

// The best comes first.
std::string render(const std::vector<Variant>& variants);

}  // namespace gopline::server
