#pragma once
#include <atomic>
#include <string>
#include <vector>

#include "common/payload/s3/s3_client.h"

namespace gopline::payload {

// What one learns of a server in use: whether it can what others can. Shared by all puts of a store.
struct S3Abilities {
  std::atomic<bool> conditional_put = true;  // takes If-None-Match
  std::atomic<bool> copy_renews = true;      // an object copied onto itself becomes young
  std::atomic<int> absent_in_a_row = 0;      // objects that were put and had not been there
};

// How an object comes to be, and how one that is there becomes young again. Stateless but for the abilities.
class S3Put {
 public:
  S3Put(S3Client& client, S3Abilities& abilities) : client_(client), abilities_(abilities) {}

  // Asks first whether the object is there, for what is need not be sent. Where a few in a row were not, as
  // of a live stream, the next goes without that question: its condition asks as well, only at the price of
  // the bytes. Where the condition gets no answer the object is asked for, and if it is not there sent
  // without one. The object is there and young on return. `sha256` of the bytes where it is known, else "".
  // Answers whether an object of that size was there before.
  Result<bool> put(const std::string& object, const BufferChain& bytes, const std::string& sha256,
                   const StopToken& stop);

  // HEAD, and where that is refused without a word, the words.
  Result<S3Answer> head(const std::string& object, const StopToken& stop, bool explain_missing = false);

 private:
  enum class Sent { kStored, kSomebodyWasThere };

  Result<Sent> send(const std::string& object, const BufferChain& bytes, const std::string& sha256,
                    bool conditional, const StopToken& stop);
  // With the condition it is tried once: a server that has the object may refuse and close before it has read
  // the bytes, so that no answer comes, however often. Who then asks learns what it was.
  Result<Sent> send_whole(const std::string& object, const BufferChain& bytes, const std::string& sha256,
                          bool conditional, const StopToken& stop);
  Result<Sent> send_parts(const std::string& object, const BufferChain& bytes, bool conditional,
                          const StopToken& stop);
  Result<Sent> judge(const std::string& object, const S3Answer& answer, std::uint64_t size,
                     const StopToken& stop);
  // 404 when it has been collected in between.
  Result<bool> renew(const std::string& object, std::uint64_t size, const S3Answer& known,
                     const StopToken& stop);
  Result<bool> copy_parts(const std::string& object, std::uint64_t size, const StopToken& stop);

  // Multipart uploads: begun, filled by `parts`, completed. An upload that does not come to that is aborted.
  Result<std::string> begin_upload(const std::string& object, const StopToken& stop);
  Result<S3Answer> complete_upload(const std::string& object, const std::string& id,
                                   const std::vector<std::string>& etags, bool conditional,
                                   const StopToken& stop);
  void abort_upload(const std::string& object, const std::string& id);

  Fields creation_headers(bool conditional) const;
  bool asks_first(std::uint64_t size) const;
  std::uint64_t part_size(std::uint64_t size) const;
  std::string source_of(const std::string& object) const;

  S3Client& client_;
  S3Abilities& abilities_;
};

// Content-Length of a HEAD's answer. nullopt when there is none.
std::optional<std::uint64_t> size_of(const S3Answer& answer);

}  // namespace gopline::payload
