#include "common/media/demuxer.h"
#include "common/media/av_log.h"

#include <algorithm>
#include <deque>
#include <span>
#include <utility>

#include "common/base/text.h"
#include "common/media/annexb.h"
#include "common/media/av_convert.h"
#include "common/media/completeness.h"
#include "common/media/direct_reads.h"
#include "common/media/known_streams.h"
#include "common/media/late_parameters.h"
#include "common/media/local_file.h"
#include "common/media/mapped_input.h"
#include "common/media/parser_bypass.h"
#include "common/media/sample_entry.h"
#include "common/media/side_data_ids.h"
#include "common/media/stdin_input.h"
#include "common/media/track_converter.h"

namespace gopline::media {
namespace {

// Packets read ahead while an ADTS track's first access unit is waited for.
constexpr std::size_t kMaxReadAhead = 2000;
// Of a live source, until a key frame.
constexpr std::chrono::minutes kLongestProbe{5};
constexpr std::size_t kMostProbed = 64 << 20;

class AvDemuxer final : public Demuxer {
 public:
  explicit AvDemuxer(DemuxerOptions options) : options_(std::move(options)), packet_(av_packet_alloc()) {}

  Result<void> open() {
    info_.name = options_.url == "-" ? "standard input" : without_secrets(options_.url);
    if (options_.url == "-" && options_.loop) {
      return fail(ErrorCode::kInvalidArgument, "standard input cannot be looped; split a file instead");
    }
    GOPLINE_TRY(open_input());
    // Now that its streams are known it can be read without looking at its packets.
    if (options_.is_live && mapped_) GOPLINE_TRY(open_again());
    GOPLINE_TRY(choose_tracks());
    describe_source();
    return read_ahead_for_adts();
  }

  const SourceInfo& info() const override { return info_; }
  const std::vector<Track>& tracks() const override { return tracks_; }
  const std::vector<SkippedTrack>& skipped() const override { return skipped_; }
  std::int64_t lost_packets() const override { return lost_packets_; }
  std::uint64_t bytes_read() const override {
    auto position = input_ && input_->pb ? avio_tell(input_->pb) : 0;
    return position > 0 ? static_cast<std::uint64_t>(position) : 0;
  }

  Result<std::optional<Packet>> read() override {
    if (read_ahead_.empty()) return read_input();
    std::optional<Packet> packet(std::move(read_ahead_.front()));
    read_ahead_.pop_front();
    return packet;
  }

 private:
  static int interrupted(void* opaque) {
    auto& self = *static_cast<AvDemuxer*>(opaque);
    if (self.deadline_ && std::chrono::steady_clock::now() >= *self.deadline_) self.is_overdue_ = true;
    return self.options_.stop.stop_requested() || self.is_overdue_ ? 1 : 0;
  }

  // From now on, opening or reading may take as long as the options say.
  void be_patient() {
    if (options_.patience) deadline_ = std::chrono::steady_clock::now() + *options_.patience;
  }

  tl::unexpected<Error> failed_to_open(int code) const {
    // A stop breaks off whatever is being read, which then looks like a bad file.
    if (options_.stop.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", info_.name);
    if (is_overdue_) return fail_overdue("no answer");
    if (auto refused = refusal_of(code)) return fail(refused->code, "{}: {}", info_.name, refused->message);
    if (code == AVERROR_INVALIDDATA) {
      return fail(
          ErrorCode::kCorrupt,
          "{}: is no media file that FFmpeg can read, or its beginning is damaged; `ffprobe` tells more",
          info_.name);
    }
    if (code == AVERROR_EOF)
      return fail(ErrorCode::kCorrupt, "{}: ends before any media: it is empty or cut off", info_.name);
    return fail_av(code, info_.name);
  }

  tl::unexpected<Error> fail_overdue(std::string_view what) const {
    auto seconds = std::chrono::duration<double>(*options_.patience).count();
    return fail(ErrorCode::kUnavailable, "{}: {} within {:g} s", info_.name, what, seconds);
  }

  // `known`: the same source as it was opened before.
  Result<void> open_input(const AVFormatContext* known = nullptr) {
    std::string url = options_.url;
    if (url == "-") {
      GOPLINE_ASSIGN(stdin_, StdinInput::open(options_.stop));
    } else if (!is_url(url)) {
      GOPLINE_TRY(check_local_file(url));
      if (!is_decrypted()) mapped_ = MappedInput::open(url);
      url = "file:" + url;  // else FFmpeg takes a colon in a name for a protocol
    }
    AVFormatContext* context = avformat_alloc_context();
    if (!context) return fail(ErrorCode::kInternal, "out of memory");
    context->interrupt_callback = {&AvDemuxer::interrupted, this};
    if (stdin_) context->pb = stdin_->io();
    if (mapped_) context->pb = mapped_->io();
    AvDictionary dictionary;
    for (const auto& [key, value] : options_.options)
      av_dict_set(&dictionary.entries, key.c_str(), value.c_str(), 0);
    be_patient();
    int code =
        avformat_open_input(&context, url.c_str(), nullptr, &dictionary.entries);  // frees context on failure
    if (code < 0) return failed_to_open(code);
    input_.reset(context);
    if (options_.is_live) {
      if (!known || !take_over_stream_info(*known, *input_)) return probe_live();
      bypass_ = ParserBypass::begin_again(*context);
    } else {
      bypass_ = ParserBypass::begin(*context, options_.parser_bypass_min_bytes);
      if (code = avformat_find_stream_info(context, nullptr); code < 0) return fail_av(code, info_.name);
      if (bypass_) bypass_->describe(*context);
    }
    if (bypass_ && mapped_)
      mapped_->leave_packets_unread(true);
    else if (!options_.is_live)
      read_large_packets_directly(*context);
    return {};
  }

  // libavformat changes what it reads.
  bool is_decrypted() const {
    return std::ranges::any_of(options_.options, [](const auto& option) {
      return option.first.starts_with("decryption_") || option.first.starts_with("activation_") ||
             option.first.starts_with("audible_");
    });
  }

  Result<void> open_again() {
    auto file_before = std::move(mapped_);
    auto before = std::move(input_);
    probed_.clear();
    return open_input(before.get());
  }

  // A second of media: a track that is silent shall not hold the others up. But a video whose parameter sets
  // are only before its key frames is not known before the first of them, be that minutes: it is waited for,
  // and what comes meanwhile is kept.
  Result<void> probe_live() {
    auto until = std::chrono::steady_clock::now() + kLongestProbe;
    input_->max_analyze_duration = AV_TIME_BASE;
    input_->probesize = kMostProbed;
    int code = avformat_find_stream_info(input_.get(), nullptr);
    if (code < 0 || is_broken_off()) return failed_to_open(code);
    LateParameters late(*input_, has_its_parameters);
    for (std::size_t bytes = 0; !late.are_complete();) {
      be_patient();
      AvPacketPtr packet(av_packet_alloc());
      if (code = av_read_frame(input_.get(), packet.get()); code < 0 || is_broken_off())
        return failed_to_open(code);
      late.observe(*packet);
      bytes += static_cast<std::size_t>(packet->size);
      probed_.push_back(std::move(packet));
      for (; bytes > kMostProbed; probed_.pop_front())
        bytes -= static_cast<std::size_t>(probed_.front()->size);
      if (std::chrono::steady_clock::now() >= until) {
        return fail(ErrorCode::kUnavailable, "{}: no key frame that says what the video is within {} min",
                    info_.name, kLongestProbe.count());
      }
    }
    return {};
  }

  static bool has_its_parameters(const AVStream& stream) {
    const auto& codec = *stream.codecpar;
    if (codec.codec_type != AVMEDIA_TYPE_VIDEO) return true;
    bool has_sets = codec.codec_id == AV_CODEC_ID_H264 || codec.codec_id == AV_CODEC_ID_HEVC;
    return codec.width > 0 && (!has_sets || codec.extradata_size > 0);
  }

  Result<void> choose_tracks() {
    track_of_stream_.assign(input_->nb_streams, -1);
    for (unsigned i = 0; i < input_->nb_streams; ++i) {
      auto reason = why_not_carried(*input_->streams[i]);
      if (reason.empty())
        GOPLINE_TRY(add_track(*input_->streams[i]));
      else
        skip_track(*input_->streams[i], reason);
    }
    if (tracks_.empty()) return fail(ErrorCode::kUnsupported, "{}: has no video or audio track", info_.name);
    return {};
  }

  static std::string why_not_carried(const AVStream& stream) {
    std::string codec = avcodec_get_name(stream.codecpar->codec_id);
    if (stream.codecpar->codec_id == AV_CODEC_ID_NONE) return "its codec is unknown";
    switch (stream.codecpar->codec_type) {
      case AVMEDIA_TYPE_VIDEO:
        return stream.disposition & AV_DISPOSITION_ATTACHED_PIC ? "it is an attached picture" : "";
      case AVMEDIA_TYPE_AUDIO:
        return "";
      case AVMEDIA_TYPE_SUBTITLE:
        return has_sample_entry(codec) ? "" : "no MP4 sample entry carries " + codec;
      default:
        return "only audio, video and subtitles are carried";
    }
  }

  void skip_track(AVStream& stream, std::string reason) {
    stream.discard = AVDISCARD_ALL;
    const char* type = av_get_media_type_string(stream.codecpar->codec_type);
    skipped_.push_back(
        {stream.index,
         fmt::format("{} {}", type ? type : "unknown", avcodec_get_name(stream.codecpar->codec_id)),
         std::move(reason)});
  }

  Result<void> add_track(const AVStream& stream) {
    Track track;
    track.id = static_cast<int>(tracks_.size()) + 1;
    track.source_index = stream.index;
    track.time_base = from_av(stream.time_base);
    track.codec = from_av_parameters(*stream.codecpar);
    // What the container says of the picture's shape goes before what the codec says, as in ffmpeg.
    if (stream.sample_aspect_ratio.num) track.codec.sample_aspect_ratio = from_av(stream.sample_aspect_ratio);
    track.avg_frame_rate = from_av(stream.avg_frame_rate);
    track.r_frame_rate = from_av(stream.r_frame_rate);
    track.start_time = from_av_time(stream.start_time);
    track.duration = from_av_time(stream.duration);
    track.disposition = stream.disposition;
    track.side_data = stream_side_data(stream);
    track.metadata = from_av_dictionary(stream.metadata);
    std::unique_ptr<TrackConverter> converter;
    auto codec = stream.codecpar->codec_id;
    if ((codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC) &&
        is_annexb_extradata(track.codec.extradata.bytes())) {
      track.source_form = SourceForm::kAnnexB;
      converter = std::make_unique<AnnexBConverter>();
    } else if (codec == AV_CODEC_ID_AAC && track.codec.extradata.empty()) {
      track.source_form = SourceForm::kAdts;
      GOPLINE_ASSIGN(auto adts, AdtsConverter::create(stream));
      adts_.emplace_back(tracks_.size(), adts.get());
      converter = std::move(adts);
    }
    track_of_stream_[static_cast<std::size_t>(stream.index)] = static_cast<int>(tracks_.size());
    tracks_.push_back(std::move(track));
    converters_.push_back(std::move(converter));
    return {};
  }

  void describe_source() {
    info_.format = input_->iformat->name;
    info_.metadata = from_av_dictionary(input_->metadata);
    info_.timestamps_may_jump = (input_->iformat->flags & AVFMT_TS_DISCONT) != 0;
    info_.start_time_us = from_av_time(input_->start_time);
    info_.duration_us = from_av_time(input_->duration);
    if (input_->pb) {
      if (auto size = avio_size(input_->pb); size > 0) info_.size_bytes = static_cast<std::uint64_t>(size);
    }
    if (info_.timestamps_may_jump && info_.start_time_us) {
      // Tracks that are not carried must not shift the others: ffmpeg makes the same correction.
      std::optional<std::int64_t> earliest;
      for (const auto& track : tracks_) {
        if (!track.start_time) continue;
        auto start = rescale(*track.start_time, track.time_base, {1, AV_TIME_BASE});
        earliest = std::min(earliest.value_or(start), start);
      }
      if (earliest) info_.start_time_us = std::max(*info_.start_time_us, *earliest);
    }
  }

  // An init cannot be written before every ADTS track has shown its first header.
  Result<void> read_ahead_for_adts() {
    auto all_known = [&] {
      return std::ranges::all_of(
          adts_, [](const auto& entry) { return !entry.second->audio_specific_config().empty(); });
    };
    while (!all_known() && read_ahead_.size() < kMaxReadAhead) {
      GOPLINE_ASSIGN(auto packet, read_input());
      if (!packet) break;
      read_ahead_.push_back(std::move(*packet));
    }
    for (auto [index, converter] : adts_) {
      if (converter->audio_specific_config().empty()) {
        return fail(ErrorCode::kCorrupt, "{}: AAC track {} shows no ADTS header within {} packets",
                    info_.name, tracks_[index].source_index, kMaxReadAhead);
      }
      tracks_[index].codec.extradata = converter->audio_specific_config();
    }
    return {};
  }

  int next_packet() {
    if (probed_.empty()) return av_read_frame(input_.get(), packet_.get());
    av_packet_move_ref(packet_.get(), probed_.front().get());
    probed_.pop_front();
    return 0;
  }

  Result<std::optional<Packet>> read_input() {
    for (;;) {
      if (options_.stop.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", info_.name);
      if (is_overdue_) return fail_overdue("no packet");
      be_patient();
      int code = next_packet();
      lost_packets_ += take_missed_rtp_packets();
      if (code >= 0 && options_.is_live && is_broken_off()) {
        // Broken off, libavformat gives what its parsers hold: maybe half a picture, which nothing tells.
        av_packet_unref(packet_.get());
        continue;
      }
      bool begins_again = code == AVERROR_EOF && options_.loop;
      if (code < 0 && options_.is_live && !begins_again) return end_of_live(code);
      if (code == AVERROR_EOF || (code < 0 && avio_feof(input_->pb))) {
        if (input_->pb && input_->pb->error < 0 && input_->pb->error != AVERROR_EOF)
          return fail_av(input_->pb->error, info_.name);
        if (code != AVERROR_EOF) return fail_av(code, info_.name + ": ends early");
        GOPLINE_TRY(
            ended_whole(*input_, {info_, local_path(), track_of_stream_, std::exchange(packets_read_, {})}));
        if (!options_.loop) return std::nullopt;
        GOPLINE_TRY(begin_again());
        continue;
      }
      if (code < 0) return fail_av(code, info_.name);
      std::optional<Buffer> mapped;
      GOPLINE_TRY(complete_packet(mapped));
      auto index = static_cast<std::size_t>(packet_->stream_index);
      if (index >= packets_read_.size()) packets_read_.resize(index + 1);
      ++packets_read_[index];
      // Streams that appear in mid-file were not probed, so nothing is known that could carry them.
      int track = index < track_of_stream_.size() ? track_of_stream_[index] : -1;
      if (track < 0) {
        av_packet_unref(packet_.get());
        continue;
      }
      return take_packet(track, std::move(mapped));
    }
  }

  // Where there is no parser, and where the packet's bytes were left in the file.
  Result<void> complete_packet(std::optional<Buffer>& mapped) {
    auto size = static_cast<std::size_t>(packet_->size);
    if (mapped_ && mapped_->leaves_packets_unread()) {
      auto bytes = mapped_->packet(packet_->stream_index, packet_->pos, size);
      if (!bytes) return fail(bytes.error().code, "{}: {}", info_.name, bytes.error().message);
      mapped = std::move(*bytes);
    }
    if (!bypass_) return {};
    bypass_->complete(*input_, *packet_,
                      mapped ? mapped->bytes() : std::span<const std::uint8_t>(packet_->data, size));
    if (mapped && !bypass_->is_on(*input_)) mapped_->leave_packets_unread(false);
    if (mapped_ && mapped_->was_cut_off())
      return fail(ErrorCode::kCorrupt, "{}: was cut off while it was read", info_.name);
    return {};
  }

  bool is_broken_off() const { return is_overdue_ || options_.stop.stop_requested(); }

  Result<std::optional<Packet>> end_of_live(int code) const {
    if (options_.stop.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", info_.name);
    if (is_overdue_) return fail_overdue("no packet");
    if (code == AVERROR_EOF) return std::nullopt;
    return fail(ErrorCode::kUnavailable, "{}: {}", info_.name, av_error_text(code));
  }

  std::string local_path() const { return stdin_ || is_url(options_.url) ? "" : options_.url; }

  Result<std::optional<Packet>> take_packet(int track, std::optional<Buffer> mapped) {
    auto packet = from_av_packet(*packet_, track);
    if (mapped) packet.data = std::move(*mapped);
    av_packet_unref(packet_.get());
    auto index = static_cast<std::size_t>(track);
    if (converters_[index]) {
      if (auto converted = converters_[index]->convert(packet); !converted) {
        return fail_with_context(fmt::format("{}: track {}", info_.name, tracks_[index].source_index),
                                 converted.error());
      }
    }
    // Of a live source it is what `ce_time` is made of, and would be in every sample again.
    if (options_.is_live) {
      std::erase_if(packet.side_data,
                    [](const auto& side) { return side.id == side_data_ids::kProducerReferenceTime; });
    }
    if (options_.loop) shift(packet);
    return packet;
  }

  // The loops before this one moved the timeline on by loop_offset_us_.
  void shift(Packet& packet) {
    auto time_base = tracks_[static_cast<std::size_t>(packet.track)].time_base;
    auto offset = rescale(loop_offset_us_, {1, AV_TIME_BASE}, time_base);
    if (packet.dts) packet.dts = *packet.dts + offset;
    if (packet.pts) packet.pts = *packet.pts + offset;
    if (auto time = packet.dts ? packet.dts : packet.pts) {
      auto begin = rescale(*time, time_base, {1, AV_TIME_BASE});
      auto end = rescale(*time + packet.duration, time_base, {1, AV_TIME_BASE});
      first_us_ = std::min(first_us_.value_or(begin), begin);
      end_us_ = std::max(end_us_, end);
    }
  }

  Result<void> begin_again() {
    if (!first_us_ || end_us_ <= *first_us_)
      return fail(ErrorCode::kCorrupt, "{}: no timestamps to loop over", info_.name);
    loop_offset_us_ = end_us_ - *first_us_;
    GOPLINE_TRY(open_again());
    for (unsigned i = 0; i < input_->nb_streams; ++i) {
      if (i >= track_of_stream_.size() || track_of_stream_[i] < 0)
        input_->streams[i]->discard = AVDISCARD_ALL;
    }
    return {};
  }

  DemuxerOptions options_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::int64_t lost_packets_ = 0;
  bool is_overdue_ = false;  // a wait has been broken off
  AvPacketPtr packet_;
  std::unique_ptr<StdinInput> stdin_;    // outlives input_, which reads through it
  std::unique_ptr<MappedInput> mapped_;  // so does this
  AvInputPtr input_;
  std::deque<AvPacketPtr> probed_;  // read to learn what they are, and not yet handed out
  std::optional<ParserBypass> bypass_;
  SourceInfo info_;
  std::vector<Track> tracks_;
  std::vector<std::unique_ptr<TrackConverter>> converters_;  // one per track; null: carried as it is
  std::vector<std::pair<std::size_t, AdtsConverter*>> adts_;
  std::vector<SkippedTrack> skipped_;
  std::vector<int> track_of_stream_;
  std::deque<Packet> read_ahead_;
  std::vector<std::int64_t> packets_read_;  // per stream, since the beginning
  std::int64_t loop_offset_us_ = 0;
  std::optional<std::int64_t> first_us_;
  std::int64_t end_us_ = 0;
};

}  // namespace

Result<std::unique_ptr<Demuxer>> Demuxer::open(const DemuxerOptions& options) {
  auto demuxer = std::make_unique<AvDemuxer>(options);
  GOPLINE_TRY(demuxer->open());
  return demuxer;
}

}  // namespace gopline::media
