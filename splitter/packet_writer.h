#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/stop_signal.h"
#include "common/log/log.h"
#include "common/media/segment_builder.h"
#include "common/media/types.h"
#include "splitter/publisher.h"
#include "splitter/segmenter.h"

namespace gopline::splitter {

struct PacketWriterOptions {
  std::string topic_namespace = "gopline";
  std::string stream;
  std::string source;  // what epoch.started says of where it comes from
  std::vector<media::Track> tracks;
  Timestamp start;  // capture time of the first picture
  SegmenterOptions segmenter;
  std::int32_t partitions = 8;  // of topics made now
  StopToken stop;
};

// Packets that somebody makes, into a stream, as one epoch: as split() does with those of a source. Not
// thread-safe.
class PacketWriter {
 public:
  PacketWriter(Log& log, const Clock& clock, PacketWriterOptions options);
  ~PacketWriter();  // without close(): the epoch stays open, as if the writer had died

  Result<void> write(media::Packet packet);
  // Nothing was written: a summary of nothing.
  Result<EpochSummary> close(EndCause cause);

 private:
  Result<void> publish_ready();
  Result<void> open_epoch(const media::Segment& first);

  Log& log_;
  const Clock& clock_;
  const PacketWriterOptions options_;
  Segmenter segmenter_;
  std::unique_ptr<media::SegmentBuilder> builder_;
  std::unique_ptr<Publisher> publisher_;
  Timestamp zero_{};  // capture time at timeline zero
};

}  // namespace gopline::splitter
