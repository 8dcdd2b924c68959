#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gopline::camera {

// What happens to RTP packets by chance: each is a probability. The same seed makes the same packets suffer.
struct Loss {
  double lose = 0;
  double repeat = 0;
  double reorder = 0;
  uint64_t seed = 1;
};

struct StreamOptions {
  std::string name;
  std::string clip;
  bool from_beginning = true;  // the clip begins anew for everybody who comes; else it runs on
  double burst = 0;            // seconds that come at once to who comes first
  double fps = 0;              // the true frame rate, if not the clip's
  std::string declared_fps;    // what the SDP says
  bool parameter_sets = true;  // sprop=off: not in the SDP, only in-band
  double gop = 0;              // key frames that come sooner than so many seconds after the last are withheld
  std::optional<double> wrap;  // RTP timestamps wrap around so many seconds after the start
  bool rtcp = true;
  double rtcp_interval = 5;  // seconds
  double clock = 0;          // seconds that the wall clock in sender reports is ahead
  double drift = 0;          // ppm that the camera's crystal is fast
  double audio_delay = 0;    // seconds that sound is sent later than it should be
  double audio_late = 0;     // seconds without sound at the start
  bool tcp = true;
  bool udp = true;
  Loss loss;
};

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 8554;
  std::string user;  // empty: whoever comes is welcome
  std::string password;
  bool basic = false;       // Basic, not Digest
  std::string certificate;  // with a key: rtsps alone
  std::string key;
  std::vector<StreamOptions> streams;
};

// Throws std::invalid_argument that says what is wrong. Nothing if only help was asked for, which is then
// printed.
std::optional<Options> parse_options(int argc, char** argv);

// A number from 0 on; `name` is for the message.
double parse_number(const std::string& name, const std::string& text);

}  // namespace gopline::camera
