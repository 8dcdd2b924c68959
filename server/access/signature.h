#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

// What only who has the key can have made: HMAC-SHA-256. Texts go into cookies and addresses.
namespace gopline::server {

// base64url (RFC 4648, 5), without padding.
std::string url_base64(std::string_view bytes);
std::optional<std::string> from_url_base64(std::string_view text);

std::string random_bytes(std::size_t count);
std::string sha256_hex(std::string_view bytes);

class Signer {
 public:
  // kInvalidArgument: `key` is not base64url of 32 bytes.
  static Result<Signer> from(std::string_view key);
  static std::string make_key();

  // The text and its signature. `purpose`: what was signed for one use is nothing in another.
  std::string sign(std::string_view purpose, std::string_view text) const;
  // The text; nullopt: nobody with this key has signed it for this purpose. Takes the same time either way.
  std::optional<std::string> verify(std::string_view purpose, std::string_view signed_text) const;

 private:
  explicit Signer(std::string key) : key_(std::move(key)) {}
  std::string mac(std::string_view purpose, std::string_view text) const;
  std::string key_;
};

}  // namespace gopline::server
