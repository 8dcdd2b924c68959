#include "common/bytes/digest.h"

#include <array>

#include <openssl/evp.h>
#include <xxhash.h>

#include "common/base/text.h"
#include "common/bytes/xxh3_kernel.h"

namespace gopline {
namespace {

std::string canonical_hex(XXH64_hash_t hash) {
  XXH64_canonical_t canonical;
  XXH64_canonicalFromHash(&canonical, hash);
  return hex_encode(std::span(canonical.digest, sizeof canonical.digest));
}

using Xxh3 = std::uint64_t (*)(const gopline_piece*, std::size_t, std::uint8_t*);

Xxh3 fastest_xxh3() {
#ifdef GOPLINE_HAS_AVX2_KERNEL
  if (__builtin_cpu_supports("avx2")) return gopline_xxh3_avx2;
#endif
  return gopline_xxh3_any;
}

std::string xxh3_of(const BufferChain& chain, std::uint8_t* copy_to) {
  static const Xxh3 xxh3 = fastest_xxh3();
  std::vector<gopline_piece> pieces;
  pieces.reserve(chain.buffers().size());
  for (const auto& buffer : chain.buffers()) pieces.push_back({buffer.data(), buffer.size()});
  return canonical_hex(xxh3(pieces.data(), pieces.size(), copy_to));
}

struct EvpDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::string xxh3_hex(std::span<const std::uint8_t> bytes) {
  return xxh3_of(BufferChain(Buffer(nullptr, bytes)), nullptr);
}

std::string xxh3_hex(const BufferChain& chain) {
  return xxh3_of(chain, nullptr);
}

HashedCopy copy_and_xxh3(const BufferChain& chain, BufferPool& pool) {
  auto block = pool.take(chain.size());
  auto hex = xxh3_of(chain, block.memory.get());
  return {block.share(0, chain.size()), std::move(hex)};
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
