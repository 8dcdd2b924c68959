#include "tools/camera/control.h"

#include <unistd.h>

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace gopline::camera {
namespace {

using Json = nlohmann::json;

Stream& named(Server& server, const std::string& name) {
  const auto found = server.streams().find(name);
  if (found == server.streams().end()) throw std::runtime_error(fmt::format("there is no stream {}", name));
  return *found->second;
}

Json status(Server& server) {
  Json streams = Json::object();
  for (const auto& [name, stream] : server.streams()) {
    const WireCounters counters = stream->wire().counters();
    streams[name] = {{"sessions", stream->sessions()},  {"sent", counters.sent},
                     {"lost", counters.lost},           {"repeated", counters.repeated},
                     {"reordered", counters.reordered}, {"reports", counters.reports}};
  }
  return {{"connections", server.connections()}, {"streams", streams}};
}

// Commands that one stream or, without a name, all streams obey.
void order(Stream& stream, const std::string& what, const Json& command) {
  const auto number = [&](const char* name) { return command.at(name).get<double>(); };
  Wire& wire = stream.wire();
  const std::map<std::string, std::function<void()>> known = {
      {"hang", [&] { wire.hang(true); }},
      {"resume", [&] { wire.hang(false), stream.refuse(false); }},
      {"deny", [&] { stream.refuse(true); }},
      {"mute", [&] { wire.mute(true); }},
      {"unmute", [&] { wire.mute(false); }},
      {"delay", [&] { stream.delay_audio(number("seconds")); }},
      {"wild", [&] { wire.wild(number("seconds")); }},
      {"jump", [&] { wire.jump(number("seconds")); }},
      {"clock", [&] { wire.set_clock(number("seconds")); }},
      {"rtcp", [&] { wire.set_rtcp(command.at("on").get<bool>()); }},
      {"loss",
       [&] {
         wire.set_loss({command.value("lose", 0.0), command.value("repeat", 0.0),
                        command.value("reorder", 0.0), command.value("seed", uint64_t{1})});
       }},
      {"switch", [&] { stream.switch_clip(command.at("clip").get<std::string>()); }},
  };
  const auto found = known.find(what);
  if (found == known.end()) throw std::runtime_error(fmt::format("{}: no command has this name", what));
  found->second();
}

Json answer(Server& server, const Json& command) {
  const auto what = command.at("do").get<std::string>();
  const bool one = command.contains("stream");
  Stream* stream = one ? &named(server, command.at("stream").get<std::string>()) : nullptr;
  Json said = {{"ok", true}};
  if (what == "status") {
    said.update(status(server));
  } else if (what == "close") {
    server.close(stream);
  } else if (what == "refuse") {
    server.ignore();
    server.close(nullptr);
  } else if (what == "listen") {
    server.listen();
  } else if (what == "password") {
    server.set_password(command.at("password").get<std::string>());
  } else if (stream) {
    order(*stream, what, command);
  } else {
    for (const auto& [_, each] : server.streams()) order(*each, what, command);
  }
  return said;
}

}  // namespace

std::string obey(Server& server, const std::string& line) {
  try {
    return answer(server, Json::parse(line)).dump();
  } catch (const std::exception& error) {
    return Json{{"ok", false}, {"error", error.what()}}.dump();
  }
}

std::string introduction(const Server& server) {
  Json names = Json::array();
  for (const auto& [name, _] : server.streams()) names.push_back(name);
  return Json{{"port", server.port()}, {"pid", getpid()}, {"streams", names}}.dump();
}

}  // namespace gopline::camera
