#pragma once
#include <string>

namespace gopline {

// A random UUID (RFC 9562, version 4) in lower-case text form, from the operating system's generator.
// Thread-safe.
std::string random_uuid();

}  // namespace gopline
