#include "aggregator/join.h"

#include <algorithm>
#include <deque>
#include <memory>

#include "aggregator/join_placer.h"
#include "aggregator/stream_reader.h"
#include "aggregator/track_difference.h"
#include "common/media/muxer.h"
#include "common/media/segment_reader.h"

namespace gopline::aggregator {
namespace {

using media::Packet;
using media::Track;

// One stream on its way into the file: its segments as packets in order, each with its capture time. Holds
// the packets of one segment at a time.
class JoinInput {
 public:
  static Result<std::unique_ptr<JoinInput>> open(Log& log, const JoinOptions& options, std::size_t index,
                                                 const StopToken& stop) {
    const auto& selection = options.streams[index];
    GOPLINE_ASSIGN(auto reader, StreamReader::open(log, selection, stop, options.blobs));
    auto input = std::unique_ptr<JoinInput>(new JoinInput(selection.stream, std::move(reader)));
    GOPLINE_TRY(input->fill());
    if (!input->next()) return fail(ErrorCode::kNotFound, "{}: nothing of it can be read", selection.stream);
    return input;
  }

  const std::vector<Track>& tracks() const { return first_tracks_; }
  const ReadPlan& plan() const { return reader_->plan(); }
  std::uint64_t bytes() const { return bytes_; }
  JoinedStream& report() { return report_; }
  const std::deque<Packet>& waiting() const { return waiting_; }

  // Capture time of the next packet; nullopt: there is none any more.
  std::optional<Timestamp> next() const {
    if (waiting_.empty()) return std::nullopt;
    return placer_->time_of(waiting_.front());
  }
  Timestamp time_of(const Packet& packet) const { return placer_->time_of(packet); }
  // True once after a cut: the packet to be taken does not go on with those before.
  bool take_cut() { return std::exchange(was_cut_, false); }

  Result<Packet> take(Timestamp origin) {
    auto packet = placer_->placed(std::move(waiting_.front()), origin);
    waiting_.pop_front();
    ++report_.packets;
    if (waiting_.empty()) GOPLINE_TRY(fill());
    return packet;
  }

 private:
  JoinInput(std::string stream, std::unique_ptr<StreamReader> reader) : reader_(std::move(reader)) {
    report_.stream = std::move(stream);
  }

  Result<void> fill() {
    while (waiting_.empty()) {
      GOPLINE_ASSIGN(auto item, reader_->next());
      if (!item) return {};
      GOPLINE_TRY(std::visit([&](const auto& value) { return take_item(value); }, *item));
    }
    return {};
  }

  Result<void> take_item(const EpochBegin& epoch) {
    const auto& tracks = epoch.started.marker.tracks;
    if (first_tracks_.empty()) {
      first_tracks_ = tracks;
      placer_.emplace(tracks);
    } else if (auto other = track_difference(first_tracks_, tracks); !other.empty()) {
      return fail(ErrorCode::kUnsupported,
                  "{}: epoch {} does not fit behind the one before it in one file: {}; join a range that has "
                  "one of them (--from, --to)",
                  report_.stream, epoch.started.epoch, other);
    }
    tracks_ = tracks;
    resuming_ = !epoch.from_its_start;
    cut();
    return {};
  }

  Result<void> take_item(const Absence& absence) {
    report_.absences.push_back(absence);
    resuming_ = true;
    cut();
    return {};
  }

  Result<void> take_item(const SegmentData& segment) {
    const auto& headers = segment.headers;
    auto where = fmt::format("{}: epoch {}, segment {}", report_.stream, headers.epoch, headers.segment);
    auto packets = media::unpack_segment(segment.bytes.flatten(), headers.content_type, tracks_);
    if (!packets) return fail_with_context(where, packets.error());
    bytes_ += segment.bytes.size();
    if (resuming_ && headers.sap == 0) {
      report_.skipped += packets->size();
      return {};
    }
    if (headers.discontinuities != discontinuities_) cut();
    discontinuities_ = headers.discontinuities;
    if (std::exchange(resuming_, false) && headers.sap == 3) drop_leading(*packets);
    if (packets->empty()) return {};
    if (placer_->place(headers.time, tracks_, *packets)) {
      ++report_.placed_anew;
      was_cut_ = true;
    }
    if (report_.segments++ == 0) report_.from = headers.time;
    waiting_.assign(std::make_move_iterator(packets->begin()), std::make_move_iterator(packets->end()));
    return {};
  }

  // Pictures that are shown before the access point of an open GOP refer to what is not there.
  void drop_leading(std::vector<Packet>& packets) {
    auto main = media::main_track_of(tracks_);
    auto access = std::ranges::find(packets, main, &Packet::track);
    if (access == packets.end() || !access->pts) return;
    auto shown_from = *access->pts;
    report_.skipped += std::erase_if(
        packets, [&](const Packet& one) { return one.track == main && one.pts && *one.pts < shown_from; });
  }

  void cut() {
    if (placer_) placer_->cut();
    was_cut_ = true;
  }

  std::unique_ptr<StreamReader> reader_;
  std::vector<Track> first_tracks_, tracks_;  // of the first epoch, of the one in hand
  std::optional<JoinPlacer> placer_;
  std::deque<Packet> waiting_;
  bool resuming_ = false;  // wait for an access point
  bool was_cut_ = false;
  std::int64_t discontinuities_ = 0;
  std::uint64_t bytes_ = 0;
  JoinedStream report_;
};

class Joining {
 public:
  explicit Joining(const JoinOptions& options) : options_(options) {}

  Result<JoinReport> run(Log& log, const std::function<void(const JoinProgress&)>& on_progress,
                         const StopToken& stop) {
    GOPLINE_ASSIGN(report_.format, media::container_format(options_.format, options_.output));
    for (std::size_t i = 0; i < options_.streams.size(); ++i) {
      GOPLINE_ASSIGN(auto input, JoinInput::open(log, options_, i, stop));
      inputs_.push_back(std::move(input));
    }
    find_origin();
    GOPLINE_TRY(open_muxer());
    std::uint64_t told = 0;
    while (auto* input = earliest()) {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
      GOPLINE_TRY(write_one(*input));
      auto progress = so_far();
      if (progress.bytes != told && on_progress) on_progress(progress);
      told = progress.bytes;
    }
    GOPLINE_TRY(muxer_->finish());
    report_.bytes = muxer_->bytes_written();
    for (auto& input : inputs_) report_.streams.push_back(std::move(input->report()));
    return std::move(report_);
  }

 private:
  // No packet of any first segment is before it: later ones are later.
  void find_origin() {
    std::optional<Timestamp> origin;
    for (const auto& input : inputs_) {
      for (const auto& packet : input->waiting()) {
        auto shown = packet;
        if (shown.pts) shown.dts = shown.pts;
        auto time = input->time_of(shown);
        origin = std::min(origin.value_or(time), time);
      }
    }
    report_.origin = *origin;
  }

  Result<void> open_muxer() {
    std::vector<Track> tracks;
    for (auto& input : inputs_) {
      auto& report = input->report();
      report.first_track = tracks.size();
      report.tracks = input->tracks().size();
      for (auto track : input->tracks()) {
        track.id = static_cast<int>(tracks.size()) + 1;
        track.start_time.reset();
        track.duration.reset();
        track.metadata["title"] = report.stream;
        track.metadata["handler_name"] = report.stream;
        tracks.push_back(std::move(track));
      }
    }
    media::MuxerOptions options;
    options.target = options_.output;
    options.format = report_.format;
    media::SourceInfo source;
    source.start_time_us = 0;
    GOPLINE_ASSIGN(muxer_, media::Muxer::open(options, source, tracks));
    return {};
  }

  JoinInput* earliest() const {
    JoinInput* found = nullptr;
    for (const auto& input : inputs_) {
      auto time = input->next();
      if (time && (!found || *time < *found->next())) found = input.get();
    }
    return found;
  }

  Result<void> write_one(JoinInput& input) {
    if (input.take_cut()) muxer_->expect_hole();
    GOPLINE_ASSIGN(auto packet, input.take(report_.origin));
    packet.track += static_cast<int>(input.report().first_track);
    return muxer_->write(packet);
  }

  JoinProgress so_far() const {
    JoinProgress progress;
    for (const auto& input : inputs_) {
      progress.bytes += input->bytes();
      progress.bytes_planned += input->plan().bytes();
    }
    return progress;
  }

  const JoinOptions& options_;
  std::vector<std::unique_ptr<JoinInput>> inputs_;
  std::unique_ptr<media::Muxer> muxer_;
  JoinReport report_;
};

}  // namespace

bool JoinReport::whole() const {
  return std::ranges::all_of(streams, [](const JoinedStream& one) { return one.absences.empty(); });
}

Result<JoinReport> join_streams(Log& log, const JoinOptions& options,
                                const std::function<void(const JoinProgress&)>& on_progress, StopToken stop) {
  return Joining(options).run(log, on_progress, stop);
}

}  // namespace gopline::aggregator
