#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/sink.h"
#include "aggregator/stream_reader.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/http/message.h"
#include "common/log/log.h"
#include "common/payload/blob_source.h"

namespace gopline::server {

struct ClipRequest {
  std::string topic_namespace;
  std::string stream;
  Timestamp from, to;
};

// A segment that a clip was made of.
struct ClipSegment {
  record::SegmentHeaders headers;
  std::uint64_t size = 0;  // of what there was of it
  std::string sha256;      // of that
  bool whole = true;
};

// What a clip is made of, and what it is: enough to prove it by the log.
struct ClipFacts {
  std::uint64_t size = 0;  // of the file
  std::string sha256;
  std::vector<record::StartedEpoch> epochs;
  std::vector<ClipSegment> segments;
  std::vector<aggregator::Absence> gaps;
};

// A stretch of a stream as one MP4 file, made as it is sent: a segment at a time, whatever its length. It
// begins at the key frame before `from` and shows pictures from `from` on; what is missing in between is
// missing in the file, and times go on as they were.
class ClipSource final : public http::BodySource, public std::enable_shared_from_this<ClipSource> {
 public:
  using Run = std::function<void(std::function<void()>)>;  // runs a task on another thread, some time

  // kNotFound: nothing was recorded then; kUnsupported: its epochs do not fit into one file. Blocks while the
  // plan is made. `log` and `blobs` outlive the source.
  static Result<std::shared_ptr<ClipSource>> open(Log& log, payload::BlobSource& blobs,
                                                  const ClipRequest& request, Run run, StopToken stop);

  void next(std::function<void(Piece)> done) override;

  // The same tag is the same file, byte for byte. Empty: footage is in it that is still being written.
  const std::string& tag() const { return tag_; }
  // Bytes of the segments that it is made of: about its size, which
  // nobody knows before it was made. 0: unknown.
  std::uint64_t expected_bytes() const { return expected_bytes_; }
  // Makes the whole file, keeps nothing of it, and says what it is made of. Of a source that nothing was
  // asked of yet, and of which nothing is asked afterwards. `look` is shown each piece, with what is known by
  // then; an error of its ends it.
  using Look = std::function<Result<void>(const BufferChain& piece, const ClipFacts& so_far)>;
  Result<ClipFacts> survey(const Look& look = {});

 private:
  ClipSource(std::unique_ptr<aggregator::StreamReader> reader, const ClipRequest& request, Run run);
  Piece make_piece();
  void note(const aggregator::StreamItem& item);

  std::unique_ptr<aggregator::StreamReader> reader_;
  std::vector<std::uint8_t> made_;  // and not yet sent
  std::unique_ptr<aggregator::Sink> sink_;
  Run run_;
  std::string tag_;
  std::uint64_t expected_bytes_ = 0;
  std::optional<ClipFacts> facts_;  // while they are wanted
  bool is_complete_ = false;
};

// For people and programs: JSON.
std::string to_json(const ClipRequest& request, const ClipFacts& facts);

}  // namespace gopline::server
