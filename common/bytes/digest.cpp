#include "common/bytes/digest.h"

#include <array>

#include <openssl/evp.h>
#include <xxhash.h>

#include "common/base/text.h"

namespace gopline {
namespace {

std::string canonical_hex(XXH64_hash_t hash) {
  XXH64_canonical_t canonical;
  XXH64_canonicalFromHash(&canonical, hash);
  return hex_encode(std::span(canonical.digest, sizeof canonical.digest));
}

struct Xxh3Deleter {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};
struct EvpDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::string xxh3_hex(std::span<const std::uint8_t> bytes) {
  return canonical_hex(XXH3_64bits(bytes.data(), bytes.size()));
}

std::string xxh3_hex(const BufferChain& chain) {
  if (chain.buffers().size() == 1) return xxh3_hex(chain.buffers().front().bytes());
  std::unique_ptr<XXH3_state_t, Xxh3Deleter> state(XXH3_createState());
  XXH3_64bits_reset(state.get());
  for (const auto& buffer : chain.buffers()) XXH3_64bits_update(state.get(), buffer.data(), buffer.size());
  return canonical_hex(XXH3_64bits_digest(state.get()));
}

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, EvpDeleter> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::uint8_t> bytes) {
  EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size());
}

std::string Sha256::finish_hex() {
  std::array<std::uint8_t, 32> digest{};
  unsigned length = digest.size();
  EVP_DigestFinal_ex(state_->context.get(), digest.data(), &length);
  return hex_encode(digest);
}

std::string sha256_hex(std::span<const std::uint8_t> bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.finish_hex();
}

std::string sha256_hex(const BufferChain& chain) {
  Sha256 digest;
  for (const auto& buffer : chain.buffers()) digest.update(buffer.bytes());
  return digest.finish_hex();
}

}  // namespace gopline
