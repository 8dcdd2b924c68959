#include "bench/segments/payload_set.h"
#include "common/media/demuxer.h"
#include "common/media/segment_builder.h"
#include "splitter/segmenter.h"

namespace gopline::bench {
namespace {

constexpr std::size_t kFewest = 3, kMost = 64;

// A file as segments of one duration, as `gopline split` would cut it, without an end.
class Cutter {
 public:
  static Result<Cutter> open(const std::string& file, Duration segment_duration, StopToken stop) {
    Cutter cutter;
    GOPLINE_ASSIGN(cutter.demuxer_, media::Demuxer::open({file, true, std::move(stop), {}}));
    splitter::SegmenterOptions cutting;
    cutting.segment_duration = segment_duration;
    cutting.max_segment_time = std::max(cutting.max_segment_time, 2 * segment_duration);
    cutting.max_segment_bytes = 1 << 30;
    cutter.segmenter_ = std::make_unique<splitter::Segmenter>(cutter.demuxer_->tracks(), cutting);
    return cutter;
  }

  Result<media::BuiltSegment> next() {
    for (;;) {
      if (auto segment = segmenter_->pop()) {
        if (!builder_) {
          GOPLINE_ASSIGN(builder_, media::SegmentBuilder::create(demuxer_->tracks(), *segment));
        }
        return builder_->build(*segment);
      }
      GOPLINE_ASSIGN(auto packet, demuxer_->read());
      if (!packet) return fail(ErrorCode::kCorrupt, "{}: has no video to cut", demuxer_->info().name);
      segmenter_->push(std::move(*packet));
    }
  }

  PayloadSet::Epoch epoch() const {
    return {demuxer_->info(), demuxer_->tracks(), builder_->init_xxh3(), {}};
  }

 private:
  std::unique_ptr<media::Demuxer> demuxer_;
  std::unique_ptr<splitter::Segmenter> segmenter_;
  std::unique_ptr<media::SegmentBuilder> builder_;
};

}  // namespace

Result<std::shared_ptr<const PayloadSet>> PayloadSet::video(const std::string& file,
                                                            Duration segment_duration,
                                                            std::uint64_t most_bytes, StopToken stop) {
  GOPLINE_ASSIGN(auto cutter, Cutter::open(file, segment_duration, std::move(stop)));
  auto set = std::make_shared<PayloadSet>();
  while (set->items_.size() < kFewest || (set->held_bytes_ < most_bytes && set->items_.size() < kMost)) {
    Item item;
    GOPLINE_ASSIGN(item.segment, cutter.next());
    // What a bare client sends lies in one piece and has the same size.
    auto whole = item.segment.bytes;
    whole.append(Buffer::take(std::vector<std::uint8_t>(kMarkBytes)));
    item.plain = whole.flatten();
    set->held_bytes_ += 2 * item.plain.size();
    set->items_.push_back(std::move(item));
  }
  set->epoch_ = cutter.epoch();
  return set;
}

}  // namespace gopline::bench
