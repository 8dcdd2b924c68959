#pragma once
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace gopline::server {

// Passwords as they are kept: Argon2id (RFC 9106), with salt and costs in the text, "$argon2id$v=19$...".
// Takes 64 MiB and tens of milliseconds, on purpose.
Result<std::string> hash_password(std::string_view password);

// `hash` that is none matches nothing, and takes no time.
bool password_matches(std::string_view password, const std::string& hash);

}  // namespace gopline::server
