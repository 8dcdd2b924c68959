#pragma once
#include <string>

#include "tools/camera/server.h"

namespace gopline::camera {

// One line of JSON in, one out: {"do": "hang", "stream": "lobby"} -> {"ok": true}, or {"ok": false, "error":
// "..."}. README.md lists what can be done.
std::string obey(Server& server, const std::string& line);

// What the program says of itself when it serves.
std::string introduction(const Server& server);

}  // namespace gopline::camera
