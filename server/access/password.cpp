#include "server/access/password.h"

#include <array>

#include <sodium.h>

namespace gopline::server {

Result<std::string> hash_password(std::string_view password) {
  std::array<char, crypto_pwhash_STRBYTES> out{};
  bool is_ready = sodium_init() >= 0;
  if (!is_ready ||
      crypto_pwhash_str_alg(out.data(), password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                            crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(ErrorCode::kUnavailable, "not enough memory to hash a password: 64 MiB are needed");
  return std::string(out.data());
}

bool password_matches(std::string_view password, const std::string& hash) {
  // It reads as many bytes as the longest hash has.
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (hash.size() >= text.size() || sodium_init() < 0) return false;
  hash.copy(text.data(), hash.size());
  return crypto_pwhash_str_verify(text.data(), password.data(), password.size()) == 0;
}

}  // namespace gopline::server
