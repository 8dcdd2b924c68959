#include "tools/camera/options.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace gopline::camera {
namespace {

constexpr const char* kHelp =
    R"(usage: camera [--listen HOST:PORT] [--user NAME:PASSWORD [--basic]] [--cert PEM --key PEM]
              --stream NAME=CLIP[,OPTION=VALUE...] [--stream ...]

Sends clips in endless loops at rtsp://HOST:PORT/NAME (127.0.0.1:8554), as they are, until standard input ends.
Commands are read from standard input, a JSON object a line; README.md has them.

  start=key|now       what somebody sees who comes: the clip from its beginning (key), or what runs on (now)
  burst=S             the S seconds before come at once
  fps=N               the true frame rate; the clip's own is only what its parameter sets declare
  declare=N           the frame rate in the SDP
  sprop=off           no parameter sets in the SDP, only in-band
  gop=S               key frames are withheld until S seconds after the last one
  wrap=S              RTP timestamps wrap around S seconds after the start
  rtcp=off|S          no sender reports, or one every S seconds (5)
  clock=S             the wall clock in sender reports is S seconds ahead (-S: behind)
  drift=PPM           the camera's crystal is fast (-PPM: slow)
  audio-late=S        no sound for the first S seconds
  audio-delay=S       sound is sent S seconds late
  transport=tcp|udp   the other one is refused
  lose=P, repeat=P, reorder=P, seed=N
                      what happens to RTP packets, by chance: 0 to 1
)";

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument(what);
}

double parse_signed(const std::string& name, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value))
    refuse(fmt::format("{}={}: not a number", name, text));
  return value;
}

double parse_chance(const std::string& name, const std::string& text) {
  const double value = parse_number(name, text);
  if (value > 1) refuse(fmt::format("{}={}: a probability is at most 1", name, text));
  return value;
}

void set_rtcp(StreamOptions& stream, const std::string& text) {
  stream.rtcp = text != "off";
  if (stream.rtcp) stream.rtcp_interval = parse_number("rtcp", text);
}

void set_choice(const std::string& name, const std::string& text, const std::string& yes,
                const std::string& no, const std::function<void(bool)>& set) {
  if (text != yes && text != no) refuse(fmt::format("{}={}: it is {} or {}", name, text, yes, no));
  set(text == yes);
}

void set_option(StreamOptions& s, const std::string& name, const std::string& text) {
  using Setter = std::function<void()>;
  const std::map<std::string, Setter> known = {
      {"start", [&] { set_choice(name, text, "key", "now", [&](bool key) { s.from_beginning = key; }); }},
      {"burst", [&] { s.burst = parse_number(name, text); }},
      {"fps", [&] { s.fps = parse_number(name, text); }},
      {"declare", [&] { s.declared_fps = (parse_number(name, text), text); }},
      {"sprop", [&] { set_choice(name, text, "on", "off", [&](bool on) { s.parameter_sets = on; }); }},
      {"gop", [&] { s.gop = parse_number(name, text); }},
      {"wrap", [&] { s.wrap = parse_number(name, text); }},
      {"rtcp", [&] { set_rtcp(s, text); }},
      {"clock", [&] { s.clock = parse_signed(name, text); }},
      {"drift", [&] { s.drift = parse_signed(name, text); }},
      {"audio-late", [&] { s.audio_late = parse_number(name, text); }},
      {"audio-delay", [&] { s.audio_delay = parse_number(name, text); }},
      {"transport",
       [&] { set_choice(name, text, "tcp", "udp", [&](bool tcp) { s.tcp = tcp, s.udp = !tcp; }); }},
      {"lose", [&] { s.loss.lose = parse_chance(name, text); }},
      {"repeat", [&] { s.loss.repeat = parse_chance(name, text); }},
      {"reorder", [&] { s.loss.reorder = parse_chance(name, text); }},
      {"seed", [&] { s.loss.seed = static_cast<uint64_t>(parse_number(name, text)); }},
  };
  const auto found = known.find(name);
  if (found == known.end()) refuse(fmt::format("{}: no option of a stream has this name", name));
  found->second();
}

std::pair<std::string, std::string> split_at(char sign, const std::string& text,
                                             const std::string& expected) {
  const auto at = text.find(sign);
  if (at == std::string::npos || at == 0) refuse(fmt::format("{}: not of the form {}", text, expected));
  return {text.substr(0, at), text.substr(at + 1)};
}

StreamOptions parse_stream(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  std::getline(words, word, ',');
  StreamOptions stream;
  std::tie(stream.name, stream.clip) = split_at('=', word, "NAME=CLIP");
  while (std::getline(words, word, ',')) {
    const auto [name, value] = split_at('=', word, "OPTION=VALUE");
    set_option(stream, name, value);
  }
  return stream;
}

void set_address(Options& options, const std::string& text) {
  std::string port;
  std::tie(options.host, port) = split_at(':', text, "HOST:PORT");
  const double number = parse_number("port", port);
  if (number > 65535) refuse(fmt::format("{}: no such port", port));
  options.port = static_cast<uint16_t>(number);
}

}  // namespace

double parse_number(const std::string& name, const std::string& text) {
  const double value = parse_signed(name, text);
  if (value < 0) refuse(fmt::format("{}={}: it cannot be negative", name, text));
  return value;
}

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  const std::map<std::string, std::function<void(const std::string&)>> known = {
      {"--listen", [&](const std::string& value) { set_address(options, value); }},
      {"--user",
       [&](const std::string& value) {
         std::tie(options.user, options.password) = split_at(':', value, "NAME:PASSWORD");
       }},
      {"--cert", [&](const std::string& value) { options.certificate = value; }},
      {"--key", [&](const std::string& value) { options.key = value; }},
      {"--stream", [&](const std::string& value) { options.streams.push_back(parse_stream(value)); }},
  };
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help" || word == "-h") {
      std::cout << kHelp;
      return std::nullopt;
    }
    if (word == "--basic") {
      options.basic = true;
      continue;
    }
    const auto found = known.find(word);
    if (found == known.end() || i + 1 == argc)
      refuse(fmt::format("{}: not understood; --help lists what is", word));
    found->second(argv[++i]);
  }
  if (options.streams.empty()) refuse("no --stream is given; --help shows how");
  if (options.certificate.empty() != options.key.empty()) refuse("--cert and --key go together");
  return options;
}

}  // namespace gopline::camera
