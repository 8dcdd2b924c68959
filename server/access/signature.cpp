#include "server/access/signature.h"

#include <sodium.h>

#include "common/base/text.h"

namespace gopline::server {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

std::string url_base64(std::string_view bytes) {
  std::string out(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes_of(bytes), bytes.size(), kVariant);
  out.pop_back();  // its NUL
  return out;
}

std::optional<std::string> from_url_base64(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(bytes_of(out), out.size(), text.data(), text.size(), nullptr, &size, &end,
                        kVariant) != 0 ||
      end != text.data() + text.size())
    return std::nullopt;
  out.resize(size);
  return out;
}

std::string random_bytes(std::size_t count) {
  if (sodium_init() < 0) std::abort();  // no source of randomness: nothing that is made would be secret
  std::string out(count, '\0');
  randombytes_buf(out.data(), out.size());
  return out;
}

std::string sha256_hex(std::string_view bytes) {
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(bytes_of(out), bytes_of(bytes), bytes.size());
  return hex_encode({bytes_of(out), out.size()});
}

Result<Signer> Signer::from(std::string_view key) {
  auto bytes = from_url_base64(key);
  if (!bytes || bytes->size() != crypto_auth_hmacsha256_KEYBYTES)
    return fail(ErrorCode::kInvalidArgument, "its key is not base64url of 32 bytes");
  return Signer(std::move(*bytes));
}

std::string Signer::make_key() {
  return url_base64(random_bytes(crypto_auth_hmacsha256_KEYBYTES));
}

std::string Signer::mac(std::string_view purpose, std::string_view text) const {
  std::string message(purpose);
  message += '\0';
  message += text;
  std::string out(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256(bytes_of(out), bytes_of(message), message.size(), bytes_of(key_));
  return out;
}

std::string Signer::sign(std::string_view purpose, std::string_view text) const {
  return url_base64(text) + "." + url_base64(mac(purpose, text));
}

std::optional<std::string> Signer::verify(std::string_view purpose, std::string_view signed_text) const {
  auto dot = signed_text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  auto text = from_url_base64(signed_text.substr(0, dot)),
       given = from_url_base64(signed_text.substr(dot + 1));
  if (!text || !given) return std::nullopt;
  auto wanted = mac(purpose, *text);
  if (given->size() != wanted.size() || sodium_memcmp(given->data(), wanted.data(), wanted.size()) != 0)
    return std::nullopt;
  return text;
}

}  // namespace gopline::server
