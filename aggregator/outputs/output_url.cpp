#include "aggregator/outputs/output_url.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/text.h"

namespace gopline::aggregator {
namespace {

struct Scheme {
  std::string_view name, format, form;
  bool needs_port;
};
constexpr std::array kSchemes{
    Scheme{"udp", "mpegts", "udp://HOST:PORT", true},
    Scheme{"srt", "mpegts", "srt://HOST:PORT", true},
    Scheme{"rtmp", "flv", "rtmp://HOST[:PORT]/APPLICATION/KEY", false},
    Scheme{"rtmps", "flv", "rtmps://HOST[:PORT]/APPLICATION/KEY", false},
    Scheme{"rtsp", "rtsp", "rtsp://HOST[:PORT]/NAME", false},
    Scheme{"rtsps", "rtsp", "rtsps://HOST[:PORT]/NAME", false},
};

// What stands behind the last slash of an RTMP URL is what lets one publish; so may an SRT stream id.
std::string name_of(const std::string& url, std::string_view format) {
  auto name = without_secrets(url);
  auto hide = [&](std::size_t from, std::size_t to) {
    if (from < to) name.replace(from, to - from, "***");
  };
  auto authority = name.find("://") + 3;
  if (format == "flv") {
    auto application = name.find('/', authority);
    auto slash = application == std::string::npos ? application : name.find('/', application + 1);
    if (slash != std::string::npos) hide(slash + 1, name.size());
  }
  for (std::string_view key : {"streamid=", "srt_streamid="}) {
    auto at = name.find(key);
    if (at == std::string::npos || (name[at - 1] != '?' && name[at - 1] != '&')) continue;
    hide(at + key.size(), std::min(name.find('&', at), name.size()));
  }
  return name;
}

bool has_port(std::string_view authority) {
  auto colon = authority.rfind(':');
  if (colon == std::string_view::npos) return false;
  auto port = parse_int64(authority.substr(colon + 1));
  return port && *port > 0 && *port < 65536;
}

}  // namespace

Result<std::optional<OutputUrl>> parse_output_url(const std::string& text) {
  auto colon = text.find("://");
  if (colon == std::string::npos) return std::nullopt;
  auto scheme = std::string_view(text).substr(0, colon);
  const auto* known = std::ranges::find(kSchemes, scheme, &Scheme::name);
  if (known == kSchemes.end()) {
    return fail(ErrorCode::kInvalidArgument,
                "{}: there is no output {}://; there are udp, srt, rtmp, rtmps, rtsp, rtsps, files and - for "
                "standard "
                "output",
                without_secrets(text), scheme);
  }
  auto begin = colon + 3;
  auto end = std::min(text.find_first_of("/?#", begin), text.size());
  auto authority = std::string_view(text).substr(begin, end - begin);
  bool listens = scheme == "srt" && text.find("mode=listener") != std::string::npos;
  bool has_host = listens || (!authority.empty() && authority.front() != ':');
  bool complete = has_host && (known->needs_port ? has_port(authority) : end + 1 < text.size());
  auto name = name_of(text, known->format);
  if (!complete) return fail(ErrorCode::kInvalidArgument, "{}: is not {}", name, known->form);
  return OutputUrl{text, std::string(scheme), std::string(known->format), std::move(name)};
}

}  // namespace gopline::aggregator
