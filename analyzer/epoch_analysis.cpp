#include "analyzer/epoch_analysis.h"

#include <algorithm>
#include <utility>

#include "analyzer/frame_chooser.h"
#include "common/base/logging.h"
#include "common/media/frames/picture_decoder.h"
#include "common/media/segment_reader.h"

namespace gopline::analyzer {
namespace {

int first_track(const std::vector<media::Track>& tracks, media::MediaType type) {
  auto found = std::ranges::find(tracks, type, [](const media::Track& track) { return track.codec.type; });
  return found == tracks.end() ? -1 : static_cast<int>(found - tracks.begin());
}

int main_track(const std::vector<media::Track>& tracks) {
  auto video = first_track(tracks, media::MediaType::kVideo);
  return video >= 0 ? video : first_track(tracks, media::MediaType::kAudio);
}

std::vector<FrameChoice> wished_choices(const Wishes& wishes, const std::optional<FrameChoice>& said) {
  if (wishes.sound_channels) return {FrameChoice{}};
  if (said) return {*said};
  std::vector<FrameChoice> choices{wishes.frames};
  choices.insert(choices.end(), wishes.more_frames.begin(), wishes.more_frames.end());
  return choices;
}

// Whatever is wrong with an analyzer is not wrong with the log, which is what other codes would mean.
Result<void> as_analyzers_fault(Result<void> result) {
  if (!result) return fail(ErrorCode::kInternal, "{}", result.error().message);
  return result;
}

}  // namespace

EpochAnalysis::EpochAnalysis(const AnalyzerKind& kind, std::optional<FrameChoice> frames,
                             ThumbnailOptions thumbnails, record::StartedEpoch started)
    : kind_(kind),
      choices_(wished_choices(kind.wishes(), frames)),
      started_(std::move(started)),
      main_index_(main_track(started_.marker.tracks)),
      track_index_(first_track(started_.marker.tracks, kind.wishes().sound_channels
                                                           ? media::MediaType::kAudio
                                                           : media::MediaType::kVideo)),
      converter_(kind.wishes().picture),
      book_(kind.identity(), thumbnails) {
  if (track_index_ >= 0) track_ = &started_.marker.tracks[static_cast<std::size_t>(track_index_)];
  // A decoder of sound remembers across packets, and holds nothing back.
  if (kind.wishes().sound_channels) is_closed_ = false;
}

bool EpochAnalysis::can_begin_with(const record::SegmentHeaders& headers) const {
  return headers.sap > 0;
}

bool EpochAnalysis::continues_with(const record::SegmentHeaders& headers) const {
  return newest_ && headers.segment == newest_->next() && headers.discontinuities == discontinuities_;
}

Result<void> EpochAnalysis::begin() {
  forget();
  GOPLINE_ASSIGN(decoder_, TrackDecoder::open(*track_, kind_.wishes()));
  auto made = kind_.make(started_.marker.stream);
  if (!made) return fail(ErrorCode::kInternal, "{}", made.error().message);
  analyzer_ = std::move(*made);
  ++stats_.runs;
  return {};
}

void EpochAnalysis::forget() {
  if (auto open = oldest_segment())
    std::erase_if(told_, [&](const auto& one) { return one.detection.segment >= *open; });
  decoder_.reset();
  analyzer_.reset();
  book_.clear();
  coming_.clear();
  offsets_.clear();
  newest_.reset();
  newest_frame_.reset();
  drained_.reset();
}

Result<void> EpochAnalysis::take(const SegmentToAnalyze& segment, bool is_warm_up, bool keys_alone) {
  const auto& headers = segment.headers;
  if (!track_) return {};
  GOPLINE_ASSIGN(auto packets, media::unpack_segment(segment.bytes.flatten(), headers.content_type,
                                                     started_.marker.tracks));
  if (!decoder_) GOPLINE_TRY(begin());
  static constexpr FrameChoice kKeys[]{{FrameChoice::Kind::kKey, {0, 1}}};
  std::span<const FrameChoice> choices(choices_);
  if (keys_alone && !kind_.wishes().sound_channels) choices = kKeys;
  bool needs_others = !are_keys_alone(choices);
  if (needs_others && headers.sap != kNothingBefore) is_closed_ = false;
  if (auto before = std::exchange(drained_, std::nullopt); before && !is_closed_ && needs_others) {
    // The decoder was asked for all that it had, and has to know again what was before.
    GOPLINE_ASSIGN(auto known, media::unpack_segment(before->bytes.flatten(), before->headers.content_type,
                                                     started_.marker.tracks));
    GOPLINE_TRY(feed(known, *before, {}, true));
  }
  offsets_.emplace(headers.segment, segment.offset);
  newest_ = headers.segment;
  discontinuities_ = headers.discontinuities;
  auto refused = stats_.undecodable, decoded = stats_.decoded;
  GOPLINE_TRY(feed(packets, segment, choices, is_warm_up));
  if (is_closed_ || !needs_others) {
    GOPLINE_TRY(drain());
    drained_ = segment;
  }
  if (!is_warm_up) {
    ++stats_.segments;
    if (headers.duration)
      stats_.footage += Duration(rescale(headers.duration->num, {1, headers.duration->den}, {1, 1'000'000}));
  }
  if (stats_.undecodable > refused && stats_.decoded == decoded && coming_.empty())
    return fail(ErrorCode::kCorrupt, "none of its {} pictures can be decoded", stats_.undecodable - refused);
  return {};
}

Result<void> EpochAnalysis::feed(const std::vector<media::Packet>& packets, const SegmentToAnalyze& segment,
                                 std::span<const FrameChoice> choices, bool is_warm_up) {
  // The segment's time is its first main packet's, and tick 0 is the same instant in all tracks.
  auto first = std::ranges::find(packets, main_index_, &media::Packet::track);
  if (first == packets.end()) return {};
  const auto& base = track_->time_base;
  const auto& main = started_.marker.tracks[static_cast<std::size_t>(main_index_)];
  auto zero = media::zero_of(segment.headers.time, (first->pts ? first->pts : first->dts).value_or(0),
                             main.time_base);
  std::vector<DecodedFrame> decoded;
  std::int64_t number = -1;
  for (const auto& packet : packets) {
    if (packet.track != track_index_) continue;
    ++number;
    auto chosen = choices_of(choices, packet, base);
    if (are_keys_alone(choices) && chosen == 0) continue;
    auto form = packet;
    if (!form.pts) form.pts = form.dts;
    auto time = zero + Duration(rescale(form.pts.value_or(0), base, {1, 1'000'000}));
    if (form.pts) {
      coming_[time] = {segment.headers.segment,          segment.offset, number,
                       {*form.pts * base.num, base.den}, chosen,         is_warm_up};
    }
    decoder_->skip_disposable(chosen == 0);
    if (auto taken = decoder_->decode(form, zero, decoded); !taken) {
      ++stats_.undecodable;
      coming_.erase(time);
      log_warning(started_.marker.stream, "epoch {}, segment {}: {}", started_.epoch, segment.headers.segment,
                  taken.error().message);
    }
    GOPLINE_TRY(analyze(decoded));
  }
  return {};
}

// Everything that the decoder holds back.
Result<void> EpochAnalysis::drain() {
  std::vector<DecodedFrame> decoded;
  decoder_->drain(decoded);
  GOPLINE_TRY(analyze(decoded));
  coming_.clear();  // what has not come will not
  offsets_.clear();
  return {};
}

Result<void> EpochAnalysis::analyze(std::vector<DecodedFrame>& decoded) {
  for (auto& one : decoded) {
    ++stats_.decoded;
    auto at = arrived(one.time);
    if (at && at->choices != 0) GOPLINE_TRY(show(*at, one));
  }
  decoded.clear();
  // A segment is done with when one after it shows its pictures.
  auto oldest = newest_;
  for (const auto& [time, coming] : coming_) {
    if (!oldest || coming.segment < *oldest) oldest = coming.segment;
  }
  if (oldest) offsets_.erase(offsets_.begin(), offsets_.lower_bound(*oldest));
  return {};
}

std::optional<EpochAnalysis::Coming> EpochAnalysis::arrived(Timestamp time) {
  auto found = coming_.find(time);
  // Sound may come a little before its packet's time, or in pieces: it is the packet's that began before it.
  if (found == coming_.end() && kind_.wishes().sound_channels) {
    found = coming_.upper_bound(time);
    if (found != coming_.begin()) found = std::prev(found);
  }
  if (found == coming_.end()) return std::nullopt;
  auto at = found->second;
  // All comes in the order in which it is shown: what should have come before will not.
  coming_.erase(coming_.begin(), std::next(found));
  return at;
}

Result<void> EpochAnalysis::show(const Coming& at, DecodedFrame& decoded) {
  Frame frame;
  frame.stream = started_.marker.stream;
  frame.epoch = started_.epoch;
  frame.segment = at.segment;
  frame.number = at.number;
  frame.pts = at.pts;
  frame.time = decoded.time;
  frame.duration = decoded.duration;
  frame.choices = at.choices;
  if (kind_.wishes().sound_channels) {
    frame.samples = std::move(decoded.samples);
    frame.sample_rate = track_->codec.sample_rate;
  } else {
    frame.decoded = std::move(decoded.picture);
    GOPLINE_ASSIGN(frame.picture, converter_.convert(frame.decoded));
  }
  ++stats_.analyzed;
  book_.turn_to(frame);
  auto thumbnails = book_.thumbnails();
  GOPLINE_TRY(as_analyzers_fault(analyzer_->take(frame, book_)));
  count_stages();
  if (!at.is_warm_up) {
    stats_.thumbnails.smaller += book_.thumbnails().smaller - thumbnails.smaller;
    stats_.thumbnails.left_out += book_.thumbnails().left_out - thumbnails.left_out;
  }
  note_told(at.offset, at.is_warm_up);
  newest_frame_ = std::move(frame);
  return {};
}

void EpochAnalysis::count_stages() {
  for (const auto& [name, count] : analyzer_->take_counts()) {
    auto& total = stats_.stages[name];
    total.shown += count.shown;
    total.passed_over += count.passed_over;
    total.missed += count.missed;
  }
}

void EpochAnalysis::note_told(Offset because, bool is_warm_up) {
  for (auto& one : book_.take()) {
    if (!is_warm_up) told_.push_back({because, std::move(one)});
  }
}

Result<void> EpochAnalysis::cut(Offset because) {
  if (decoder_) {
    GOPLINE_TRY(drain());
    if (newest_frame_) book_.turn_to(*newest_frame_);
    GOPLINE_TRY(as_analyzers_fault(analyzer_->finish(book_)));
    count_stages();
    note_told(because, false);
  }
  forget();
  return {};
}

Result<void> EpochAnalysis::settle() {
  if (decoder_) GOPLINE_TRY(drain());
  forget();
  return {};
}

std::optional<Offset> EpochAnalysis::oldest_offset() const {
  if (offsets_.empty()) return std::nullopt;
  return std::ranges::min_element(offsets_, {}, [](const auto& one) { return one.second; })->second;
}

std::vector<ToldDetection> EpochAnalysis::take_detections() {
  std::vector<ToldDetection> certain;
  auto held_from = oldest_segment();
  auto held = std::stable_partition(told_.begin(), told_.end(), [&](const ToldDetection& one) {
    return !held_from || one.detection.segment < *held_from;
  });
  certain.assign(std::make_move_iterator(told_.begin()), std::make_move_iterator(held));
  told_.erase(told_.begin(), held);
  return certain;
}

}  // namespace gopline::analyzer
