#include "splitter/packet_writer.h"

#include <utility>

namespace gopline::splitter {

PacketWriter::PacketWriter(Log& log, const Clock& clock, PacketWriterOptions options)
    : log_(log),
      clock_(clock),
      options_(std::move(options)),
      segmenter_(options_.tracks, options_.segmenter) {}

PacketWriter::~PacketWriter() = default;

Result<void> PacketWriter::write(media::Packet packet) {
  segmenter_.push(std::move(packet));
  return publish_ready();
}

Result<EpochSummary> PacketWriter::close(EndCause cause) {
  segmenter_.finish();
  GOPLINE_TRY(publish_ready());
  if (!publisher_) return EpochSummary{};
  return publisher_->close(cause);
}

Result<void> PacketWriter::publish_ready() {
  while (auto segment = segmenter_.pop()) {
    if (!publisher_) GOPLINE_TRY(open_epoch(*segment));
    GOPLINE_ASSIGN(auto built, builder_->build(*segment));
    auto at = Duration(rescale(built.first_pts, {1, built.timescale}, kMicroseconds));
    GOPLINE_TRY(publisher_->publish(built, zero_ + at, {}));
  }
  return {};
}

Result<void> PacketWriter::open_epoch(const media::Segment& first) {
  GOPLINE_ASSIGN(builder_, media::SegmentBuilder::create(options_.tracks, first));
  zero_ = options_.start - Duration(rescale(first.first_pts, {1, first.timescale}, kMicroseconds));
  PublisherOptions publisher;
  publisher.topic_namespace = options_.topic_namespace;
  publisher.stream = options_.stream;
  publisher.source.name = options_.source;
  publisher.tracks = options_.tracks;
  publisher.init_xxh3 = builder_->init_xxh3();
  publisher.clock = CaptureClock::kGiven;
  publisher.partitions = options_.partitions;
  publisher.stop = options_.stop;
  GOPLINE_ASSIGN(publisher_, Publisher::open(log_, clock_, std::move(publisher)));
  return {};
}

}  // namespace gopline::splitter
