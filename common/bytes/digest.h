#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/bytes/buffer_chain.h"

namespace gopline {

// XXH3-64, seed 0, in canonical form: 16 lower-case hex digits, most significant byte first.
std::string xxh3_hex(std::span<const std::uint8_t> bytes);
std::string xxh3_hex(const BufferChain& chain);

// All bytes of a chain in one allocation of the pool's, and their XXH3 as above, in one pass.
struct HashedCopy {
  Buffer bytes;
  std::string xxh3;
};
HashedCopy copy_and_xxh3(const BufferChain& chain, BufferPool& pool);

// SHA-256 (FIPS 180-4) in lower-case hex.
std::string sha256_hex(std::span<const std::uint8_t> bytes);
std::string sha256_hex(const BufferChain& chain);

// SHA-256 of bytes that come piece by piece. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::uint8_t> bytes);
  std::string finish_hex();  // ends this digest; a new object starts the next

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gopline
