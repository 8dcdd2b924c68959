#pragma once
#include <optional>
#include <string>

#include "common/base/result.h"

namespace gopline::aggregator {

// A receiver in the network, as a person writes it.
struct OutputUrl {
  std::string url;
  std::string scheme;  // "udp", "srt", "rtmp", "rtmps", "rtsp", "rtsps"
  std::string format;  // what is spoken there: "mpegts", "flv", "rtsp"
  std::string name;    // for messages: no login, no stream key
};

// nullopt: no URL but a file's name. kInvalidArgument says what of the URL is missing or not known.
Result<std::optional<OutputUrl>> parse_output_url(const std::string& text);

}  // namespace gopline::aggregator
